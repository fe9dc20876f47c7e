"""Scripted visitors over real HTTP, and the check of what they saw."""
