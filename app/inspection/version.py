"""Which checks these are: raised with every change of what they find, so that older answers show as such (REV-3)."""

VERSION = "3"
