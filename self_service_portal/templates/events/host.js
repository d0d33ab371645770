(() => {
  // Goes into the page that holds the frame: makes the frame as high as its content says.
  addEventListener("message", (message) => {
    const said = message.data;
    if (!said || said.customerhub !== "height" || !(said.height > 0)) return;
    for (const frame of document.querySelectorAll("iframe")) {
      if (frame.contentWindow === message.source) frame.style.height = Math.min(said.height, 20000) + "px";
    }
  });
})();
