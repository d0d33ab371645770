"""How this room says no; rooms above turn it into faults of a form."""


class Unfit(Exception):
    """A value of a role, profile, group, rule or key cannot be taken. `field`: its name, "" for the whole."""

    def __init__(self, field: str, message: str, code: str = "bad_value") -> None:
        super().__init__(message)
        self.field, self.code = field, code
