"""NPS: how likely somebody is to recommend, 0 to 10; the score is promoters (9, 10) less detractors (0 to 6)."""

from surveys.kinds.base import Question, Setting
from surveys.kinds.rating import Rating


class Nps(Rating):
    name, label, icon, counts = "nps", "Recommendation (NPS)", "gauge", "nps"
    settings = (Setting("low_label", "Words at the lowest"), Setting("high_label", "Words at the highest"))

    def steps(self, question: Question) -> range:
        return range(11)
