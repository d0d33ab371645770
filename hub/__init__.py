"""The front door: composes the apps and is imported by nobody."""
