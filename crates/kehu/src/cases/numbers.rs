//! Numbers of cases: `WX-{yyyy}{mm}-{n:4}` counts anew in each period its pattern names.

use policy::model::Form;
use store::Tx;

use super::world::Ground;

/// The next number of a form. Numbers follow each other without gaps as long as transactions are not rolled back after
/// taking one; on PostgreSQL two cases of one form wait for each other here.
pub(super) fn next(tx: &mut Tx<'_>, ground: &Ground, form: &Form) -> store::Result<String> {
    let pattern =
        if form.number.is_empty() { format!("{}-{{yyyy}}-{{n:6}}", form.id) } else { form.number.clone() };
    let date = ground.zone.date(ground.now);
    let dated = pattern
        .replace("{yyyy}", &format!("{:04}", date.year()))
        .replace("{mm}", &format!("{:02}", date.month()))
        .replace("{dd}", &format!("{:02}", date.day()));
    let series = format!("{}:{dated}", form.id);
    tx.exec(
        "INSERT INTO case_numbers (series, last) VALUES ($1, 1) ON CONFLICT (series) DO UPDATE SET last = case_numbers.last + 1",
        &[(&series).into()],
    )?;
    let number: i64 =
        tx.value("SELECT last FROM case_numbers WHERE series = $1", &[(&series).into()])?.unwrap_or(1);
    Ok(match (dated.find("{n:"), dated.find('}')) {
        (Some(start), Some(end)) if start < end => {
            let digits: usize = dated[start + 3..end].parse().unwrap_or(4);
            format!("{}{number:0digits$}{}", &dated[..start], &dated[end + 1..])
        }
        _ => format!("{dated}{number}"),
    })
}
