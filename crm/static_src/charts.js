// Charts, loaded only by pages that have one: <div data-chart='{ECharts option as JSON}'>. Ships the kinds we draw and no more.
// Colours and type come from the page's own custom properties. A value may carry "said" (how it is written) and "href".
import * as echarts from "echarts/core";
import { BarChart, LineChart, PieChart, FunnelChart } from "echarts/charts";
import { AriaComponent, DatasetComponent, GridComponent, LegendComponent, MarkLineComponent, TitleComponent, TooltipComponent } from "echarts/components";
import { SVGRenderer } from "echarts/renderers";

echarts.use([BarChart, LineChart, PieChart, FunnelChart, AriaComponent, DatasetComponent, GridComponent, LegendComponent,
  MarkLineComponent, TitleComponent, TooltipComponent, SVGRenderer]);

const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
const number = new Intl.NumberFormat(document.documentElement.lang || "en");
const said = (point) => point.data?.said ?? point.value;

function dress(option, element) {
  const css = getComputedStyle(element);
  const colour = (name) => css.getPropertyValue(`--ch-${name}`).trim();
  const text = { color: colour("quiet"), fontFamily: css.fontFamily, fontSize: 12 };
  const line = { lineStyle: { color: colour("line") } };
  for (const key of ["xAxis", "yAxis"]) {
    const axis = option[key];
    if (!axis) continue;
    axis.axisLabel = { ...text, overflow: "truncate", width: axis.type === "category" && key === "yAxis" ? 150 : undefined,
      ...(axis.type !== "category" && { formatter: (value) => number.format(value) }), ...axis.axisLabel };
    axis.axisLine = { show: axis.type === "category", ...line };
    axis.splitLine = { ...line, ...axis.splitLine };
  }
  for (const series of option.series || []) {
    const ink = { ...text, color: colour("ink"), formatter: said };
    if (series.label) series.label = { ...series.label, ...ink };
    if (series.endLabel) series.endLabel = { ...series.endLabel, ...ink };
  }
  return {
    backgroundColor: "transparent",
    animation: !calm,
    animationDuration: 300,
    color: [colour("accent")],
    textStyle: text,
    aria: { enabled: true, label: { description: element.getAttribute("aria-label") } },
    grid: { left: 4, right: 64, top: 20, bottom: 4, containLabel: true },
    // drawn as SVG text, not HTML: the content security policy forbids inline styles
    tooltip: { trigger: "item", renderMode: "richText", formatter: (point) => `${point.name}\n${said(point)}`, backgroundColor: colour("raised"), borderColor: colour("line"), textStyle: { color: colour("ink"), fontSize: 12 } },
    ...option,
  };
}

function draw(element) {
  const chart = echarts.getInstanceByDom(element) || echarts.init(element, null, { renderer: "svg" });
  chart.setOption(dress(JSON.parse(element.dataset.chart), element), true);
  if (element.dataset.watched) return;
  element.dataset.watched = "yes";
  chart.on("click", (point) => point.data?.href && location.assign(point.data.href));
  new ResizeObserver(() => chart.resize()).observe(element);
}

const drawAll = (root) => [...(root.matches?.("[data-chart]") ? [root] : []), ...root.querySelectorAll("[data-chart]")].forEach(draw);
if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", () => drawAll(document));
else drawAll(document);
document.addEventListener("htmx:load", (event) => drawAll(event.detail.elt));
new MutationObserver(() => drawAll(document)).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
