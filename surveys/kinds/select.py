"""Select: one of many options, in a list that opens."""

from surveys.kinds.radio import Radio


class Select(Radio):
    name, label, icon = "select", "One from a list", "selector"
    settings = ()
