// The parts of ECharts that our charts use; build.mjs bundles them. A chart of another kind, or an option of another
// component, needs its part here: ECharts says so in the browser's console, which fails a journey.
import { BarChart, LineChart, PieChart } from "echarts/charts";
import { GridComponent, LegendPlainComponent, TooltipComponent } from "echarts/components";
import { init, use } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

use([BarChart, LineChart, PieChart, GridComponent, LegendPlainComponent, TooltipComponent, CanvasRenderer]);

export { init };
