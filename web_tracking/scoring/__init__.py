"""Lead scoring and sources: what people do adds up to a score by rules, and what led them here is kept as a path of touches."""
