// The blocks in the editor: one text box an attribute; what visitors see is drawn by the server.
(({ blocks, element, blockEditor, components }, words) => {
  const kinds = {
    form: { icon: "feedback", boxes: ["key"] },
    events: { icon: "calendar-alt", boxes: ["category", "lang", "limit", "height"] },
    survey: { icon: "forms", boxes: ["code", "text"] },
  };
  for (const [name, kind] of Object.entries(kinds)) {
    blocks.registerBlockType(`customerhub/${name}`, {
      apiVersion: 2,
      title: words[name],
      icon: kind.icon,
      category: "embed",
      edit: ({ attributes, setAttributes }) =>
        element.createElement(
          "div",
          blockEditor.useBlockProps(),
          element.createElement(
            components.Placeholder,
            { icon: kind.icon, label: words[name], instructions: words[`${name}Help`] },
            element.createElement(
              "div",
              { style: { display: "grid", gap: "8px", gridTemplateColumns: "repeat(auto-fill, minmax(220px, 1fr))", width: "100%" } },
              kind.boxes.map((box) =>
                element.createElement(components.TextControl, {
                  key: box,
                  label: words[box],
                  value: attributes[box] || "",
                  onChange: (value) => setAttributes({ [box]: value }),
                }),
              ),
            ),
          ),
        ),
      save: () => null,
    });
  }
})(window.wp, window.customerhubWords);
