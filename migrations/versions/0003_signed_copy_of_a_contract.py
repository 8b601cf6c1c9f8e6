"""Tie a contract's signed copy to its document, which is made after the contract's table."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The two tables name each other; SQLite cannot add a constraint afterwards and goes without this one.
    if op.get_bind().dialect.name == "postgresql":
        op.create_foreign_key(
            "fk_contracts_signed_document_id",
            "contracts",
            "documents",
            ["signed_document_id"],
            ["id"],
            ondelete="SET NULL",
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("fk_contracts_signed_document_id", "contracts", type_="foreignkey")
