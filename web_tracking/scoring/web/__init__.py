"""Staff pages of scoring: the model in one screen, and what brings customers."""
