"""Runs of jobs that somebody asked for and the elected scheduler takes up (JOB-2)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("job_runs", sa.Column("waiting", sa.Boolean(), nullable=False, server_default=sa.false()))
    where = sa.text("waiting")
    op.create_index("ix_job_runs_waiting", "job_runs", ["id"], postgresql_where=where, sqlite_where=where)
