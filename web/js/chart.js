// [data-chart]: an ECharts option as JSON in its <script type="application/json">. The library is loaded only
// when a chart is on the page. Colours follow the theme; a table beside it should tell the same to everyone.
const colour = (name) => {
  const probe = document.createElement("i");
  probe.className = "sr-only";
  document.body.append(probe);
  probe.style.color = `var(${name})`;
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
};
const theme = () => {
  const [text, faint, line, surface] = ["--k-text", "--k-text-faint", "--k-line", "--k-raised"].map(colour);
  const axis = { axisLine: { lineStyle: { color: line } }, axisTick: { show: false }, axisLabel: { color: faint }, splitLine: { lineStyle: { color: line } }, nameTextStyle: { color: faint } };
  return {
    color: ["--k-accent", "--k-good", "--k-warn", "--k-plum", "--k-info", "--k-danger"].map(colour),
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
    title: { textStyle: { color: text } },
    legend: { textStyle: { color: text } },
    // The html tooltip of ECharts writes style attributes, which the page's security policy forbids.
    tooltip: { renderMode: "richText", backgroundColor: surface, borderColor: line, textStyle: { color: text }, confine: true },
    categoryAxis: { ...axis, splitLine: { show: false } }, valueAxis: axis, timeAxis: axis, logAxis: axis,
    // Labels that do not fit move instead of vanishing.
    pie: { label: { color: text }, itemStyle: { borderColor: surface, borderWidth: 1 }, avoidLabelOverlap: true },
    line: { symbolSize: 5, lineStyle: { width: 2 } },
    bar: { itemStyle: { borderRadius: 3 } },
  };
};
const drawn = new Map();
const draw = (holder) => {
  let option;
  try { option = JSON.parse(holder.querySelector("script[type='application/json']")?.textContent ?? holder.dataset.chart); } catch { return; }
  let canvas = holder.querySelector(".chart-canvas");
  if (!canvas) { canvas = Object.assign(document.createElement("div"), { className: "chart-canvas chart" }); holder.append(canvas); }
  canvas.className = `chart-canvas ${holder.className}`;
  drawn.get(holder)?.dispose();
  const chart = echarts.init(canvas, theme());
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  chart.setOption({ grid: { left: 8, right: 12, top: 36, bottom: 8, outerBoundsMode: "same", outerBoundsContain: "axisLabel" }, animation: !calm, animationDuration: 250, ...option });
  chart.on("click", (point) => {
    const path = kehu.localPath(point.data?.href);
    if (path) location.href = path;
  });
  drawn.set(holder, chart);
};
kehu.each("[data-chart]", async (holder) => {
  await kehu.script("echarts");
  draw(holder);
  new ResizeObserver(() => drawn.get(holder)?.resize()).observe(holder);
});
const redraw = () => { for (const holder of drawn.keys()) if (holder.isConnected) draw(holder); else drawn.delete(holder); };
document.addEventListener("kehu:theme", redraw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
