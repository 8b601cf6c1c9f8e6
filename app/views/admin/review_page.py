"""What the review desk's page shows, worked out from a file and the address: what its templates read (REV-1)."""

from __future__ import annotations

from app.views.admin.review_bar import Bar
from app.views.admin.review_money import Money
from app.views.admin.review_papers import Papers


class Desk(Papers, Bar, Money):
    """A file seen by somebody at an address: place, papers, points and decisions, each in a module of its own."""
