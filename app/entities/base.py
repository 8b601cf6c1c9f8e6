"""The class every table extends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.extensions import Base, db

if TYPE_CHECKING:
    Model = Base
else:
    Model = db.Model
