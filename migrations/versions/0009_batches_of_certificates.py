"""Batches of certificates until they are confirmed; the days of dispatch and collection, for slips and lists."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "certificate_batches",
        sa.Column("id", ID, nullable=False),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lines", JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_certificate_batches_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificate_batches")),
        sa.UniqueConstraint("public_id", name=op.f("uq_certificate_batches_public_id")),
    )
    op.create_index("ix_certificate_batches_created", "certificate_batches", ["created_at"])
    op.create_index("ix_certificates_dispatched", "certificates", ["dispatched_at", "id"])
    op.create_index("ix_certificates_collected", "certificates", ["collected_at", "id"])
