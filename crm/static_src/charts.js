// Charts, loaded only by pages that have one: <div data-chart='{ECharts option as JSON}'>. Ships the kinds we draw and no more.
import * as echarts from "echarts/core";
import { BarChart, LineChart, PieChart, FunnelChart } from "echarts/charts";
import { AriaComponent, DatasetComponent, GridComponent, LegendComponent, MarkLineComponent, TitleComponent, TooltipComponent } from "echarts/components";
import { SVGRenderer } from "echarts/renderers";

echarts.use([BarChart, LineChart, PieChart, FunnelChart, AriaComponent, DatasetComponent, GridComponent, LegendComponent,
  MarkLineComponent, TitleComponent, TooltipComponent, SVGRenderer]);

const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;

function draw(element) {
  const dark = document.documentElement.dataset.bsTheme === "dark";
  const chart = echarts.getInstanceByDom(element) || echarts.init(element, dark ? "dark" : null, { renderer: "svg" });
  chart.setOption({ backgroundColor: "transparent", animation: !calm, aria: { enabled: true }, ...JSON.parse(element.dataset.chart) }, true);
  if (!element.dataset.watched) {
    element.dataset.watched = "yes";
    new ResizeObserver(() => chart.resize()).observe(element);
  }
}

const drawAll = (root) => [...(root.matches?.("[data-chart]") ? [root] : []), ...root.querySelectorAll("[data-chart]")].forEach(draw);
if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", () => drawAll(document));
else drawAll(document);
document.addEventListener("htmx:load", (event) => drawAll(event.detail.elt));
