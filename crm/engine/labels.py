"""A label that knows its place, so that an administrator can word it in each language (engine/overlay.py, spec/portal.md 1.6)."""


class Label(str):
    """The text of a label in the words of its declaration. `place`: `contacts.cf_1` of a field, `list:<name>.<key>` of a choice,
    `name:<module>.<name>` of a record that is a word of the house, such as a status.

    It is said by `_(label)` like any text; gettext (ui/i18n.py) finds an administrator's words by the place.
    """

    place: str

    def __new__(cls, text: str = "", place: str = "") -> "Label":
        made = super().__new__(cls, text)
        made.place = place
        return made


def of_field(module: str, name: str, text: str) -> Label:
    """The label of a field of `module`."""
    return Label(text, f"{module}.{name}")


def of_choice(picklist: str, key: str, text: str) -> Label:
    """The label of a choice of a list."""
    return Label(text, f"list:{picklist}.{key}")


def of_name(module: str, name: str) -> Label:
    """The name of a record of `module` whose names are words of the house."""
    return Label(name, f"name:{module}.{name}"[:200])
