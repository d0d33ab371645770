"""How workers learn that a job is there. The row is the truth; an engine only carries “look at job 42”."""
