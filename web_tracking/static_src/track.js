// The tracking script of a site: page views, time in view, downloads, own events; nothing before its person agreed.
// No third party, no global but crmTrack, and every fault of ours is ours alone: the site never notices one.
(() => {
  const site = window.crmSite;
  const base = new URL(".", document.currentScript.src).href;
  const COOKIE = "crm_visitor";
  const PARAMETER = "ch_visit";
  const MONTHS = 13 * 30 * 24 * 3600;
  const FILES = /\.(pdf|zip|docx?|xlsx?|pptx?|odt|ods|odp|csv|txt|rtf|epub|dmg|exe|msi|apk|gz|7z|rar|mp3|mp4|mov|avi|ics)$/i;
  const refuses = navigator.doNotTrack === "1" || window.doNotTrack === "1" || navigator.globalPrivacyControl === true;

  let consent; // true, false; undefined: not asked yet
  let token = ""; // who came by a personal link, until told
  let view = 0; // number of the present page view; 0: none was told under this browser's id
  let shown = ""; // its address without what changes nothing
  let since = 0; // when it came into view; 0: it is not
  let seconds = 0;
  let counted = ""; // the address that was counted before its person said anything
  let dropped = ""; // the id that this browser had when its person refused: he may still ask to be forgotten

  const quietly = (act) => (...given) => {
    try {
      return act(...given);
    } catch {
      // a site goes on, whatever happens here
    }
  };
  const number = () => {
    const two = crypto.getRandomValues(new Uint32Array(2));
    return (two[0] % 2097152) * 4294967296 + two[1];
  };
  const kept = () => (new RegExp(`(?:^|; )${COOKIE}=([A-Za-z0-9_-]{22})(?:;|$)`).exec(document.cookie) || [])[1] || "";
  const keep = (value, age) => {
    document.cookie = `${COOKIE}=${value}; path=/; max-age=${age}; samesite=lax${location.protocol === "https:" ? "; secure" : ""}`;
  };
  const drop = () => {
    dropped = kept() || dropped;
    keep("", 0);
    view = 0;
  };
  const fresh = () => btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16)))).replace(/\+/g, "-").replace(/\//g, "_").slice(0, 22);
  const agrees = () => !refuses && consent !== false && (consent === true || (site.consent ? kept() !== "" : token !== "" || kept() !== ""));

  // The id of this browser; made only when it may be known again.
  const visitor = () => {
    if (!agrees()) return "";
    const id = kept() || fresh();
    keep(id, MONTHS);
    return kept();
  };

  const send = (kind, more) => {
    const isPlain = kind === "try" || kind === "forget"; // says nothing of a visit
    const id = isPlain ? "" : visitor();
    const mayCount = site.counts && consent !== false && kind === "view";
    if ((refuses && kind !== "forget") || (!id && !mayCount && !isPlain)) return "";
    const said = { s: site.key, k: kind, n: kind === "view" ? view : number(), u: location.href.slice(0, 2048), ...more };
    if (kind === "view") {
      if (!id) counted = shown;
      else if (counted === shown) said.d = 1;
    }
    if (id) {
      said.v = id;
      said.c = consent === true || site.consent ? 1 : 0;
      if (token && kind !== "leave") {
        said.p = token;
        token = "";
      }
    }
    fetch(`${base}b`, { method: "POST", body: JSON.stringify(said), keepalive: true, credentials: "omit" }).catch(() => {});
    return id;
  };

  const page = () => {
    const given = new URLSearchParams(location.search);
    return location.origin + location.pathname + site.kept.map((name) => given.getAll(name)) + (/^#!?\//.test(location.hash) ? location.hash : "");
  };
  const see = (from) => {
    shown = page();
    view = number();
    seconds = 0;
    since = document.visibilityState === "visible" ? performance.now() : 0;
    if (!send("view", { t: document.title.slice(0, 200), r: from.slice(0, 2048) })) view = 0;
  };
  const rest = () => {
    if (!view || !since) return;
    seconds += (performance.now() - since) / 1000;
    since = 0;
    if (agrees()) send("leave", { n: view, x: Math.round(seconds) });
  };
  // One-page sites change the address and then the title: look a moment later.
  const moved = () =>
    setTimeout(
      quietly(() => {
        if (page() === shown) return;
        rest();
        see("");
      }),
      50,
    );

  const commands = {
    consent(value) {
      consent = value === true;
      if (!consent) drop();
      else if (!view) see(document.referrer);
    },
    forget() {
      const id = kept() || dropped;
      if (id) send("forget", { v: id });
      consent = false;
      drop();
      token = dropped = "";
    },
    event(name) {
      if (visitor()) send("event", { e: String(name).slice(0, 100), t: document.title.slice(0, 200) });
    },
    person(said) {
      token = String(said).slice(0, 100);
      if (agrees() && view) send("event", { e: "recognised" });
      else if (agrees()) see(document.referrer);
    },
  };

  const begin = quietly(() => {
    const here = new URL(location.href);
    token = here.searchParams.get(PARAMETER) || "";
    const isTried = here.searchParams.has("ch_try");
    if (token || isTried) {
      here.searchParams.delete(PARAMETER);
      here.searchParams.delete("ch_try");
      history.replaceState(history.state, "", here);
    }
    if (refuses) drop();
    if (isTried) send("try");
    const waiting = (window.crmTrack && window.crmTrack.q) || [];
    window.crmTrack = quietly((name, value) => Object.hasOwn(commands, name) && commands[name](value));
    for (const one of waiting) window.crmTrack(...one);
    if (!view && consent === undefined) see(document.referrer);
    for (const name of ["pushState", "replaceState"]) {
      const real = history[name];
      history[name] = function (...given) {
        const answer = real.apply(this, given);
        moved();
        return answer;
      };
    }
    addEventListener("popstate", moved);
    addEventListener("hashchange", moved);
    addEventListener("pagehide", quietly(rest));
    document.addEventListener(
      "visibilitychange",
      quietly(() => {
        if (document.visibilityState === "hidden") rest();
        else if (view && !since) since = performance.now();
      }),
    );
    // A form of ours in a frame says who filled it in.
    addEventListener(
      "message",
      quietly((event) => {
        if (event.origin === new URL(base).origin && event.data && event.data.crmVisit) commands.person(event.data.crmVisit);
      }),
    );
    document.addEventListener(
      "click",
      quietly((event) => {
        const link = event.target.closest && event.target.closest("a[href]");
        if (link && (link.hasAttribute("download") || FILES.test(link.pathname)) && visitor()) {
          send("download", { e: (link.origin + link.pathname).slice(0, 200), t: document.title.slice(0, 200) });
        }
      }),
      true,
    );
  });
  begin();
})();
