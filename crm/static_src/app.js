// The staff apps' script: Tabler (Bootstrap), htmx, Alpine in its CSP build, Tom Select, Sortable and the keys of the house.
import "@tabler/core/dist/js/tabler.esm.js";
import Alpine from "@alpinejs/csp";
import htmx from "htmx.org";
import "./_requests.js";
import "./_fields.js";
import "./_keys.js";
import "./_frame.js";

window.htmx = htmx;
window.Alpine = Alpine;
Alpine.start();
