// What the site's consent plugin (WP Consent API) knows is told to the tracking script, at once and when it changes.
(() => {
  window.crmTrack = window.crmTrack || function (...said) { (window.crmTrack.q = window.crmTrack.q || []).push(said); };
  const tell = () => window.crmTrack("consent", window.wp_has_consent("statistics"));
  document.addEventListener("wp_listen_for_consent_change", (event) => {
    if (Object.hasOwn(event.detail || {}, "statistics")) window.crmTrack("consent", event.detail.statistics === "allow");
  });
  if (typeof window.wp_has_consent === "function") tell();
  else document.addEventListener("DOMContentLoaded", () => typeof window.wp_has_consent === "function" && tell());
})();
