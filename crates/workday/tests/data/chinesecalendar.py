"""Writes `chinesecalendar-1.11.0.csv` beside itself: what an independent source says of every day.

The source is the PyPI package chinesecalendar 1.11.0, Copyright Lirian Su and contributors, MIT License. Made with

    python3 -m venv /tmp/cc && /tmp/cc/bin/pip install chinesecalendar==1.11.0
    /tmp/cc/bin/python crates/workday/tests/data/chinesecalendar.py

`is_workday` is 1 or 0; `name` is the festival a day off or a make-up day belongs to, empty on ordinary days.
"""

import csv
import datetime
import pathlib

import chinese_calendar as calendar

FIRST, LAST = datetime.date(2019, 1, 1), datetime.date(2026, 12, 31)

with open(pathlib.Path(__file__).with_name("chinesecalendar-1.11.0.csv"), "w", newline="") as file:
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(["date", "is_workday", "name"])
    for days in range((LAST - FIRST).days + 1):
        date = FIRST + datetime.timedelta(days=days)
        festival = calendar.get_holiday_detail(date)[1]
        name = calendar.Holiday(festival).chinese if festival else ""
        rows.writerow([date.isoformat(), int(calendar.is_workday(date)), name])
