"""The reconciliation desk: what the gateway last said, remedies prepared and approved, statements' own columns."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OPEN_REMEDY = "state IN ('A_APPROUVER', 'A_FAIRE', 'EN_COURS')"
AT_THE_DESK = "anomaly IS NOT NULL AND remedied_at IS NULL"
DIFFERS = "match NOT IN ('CONFORME', 'DEJA_RELEVE') AND resolved_at IS NULL"


def partial_index(name: str, table: str, columns: list[str], condition: str, *, unique: bool = False) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, unique=unique, postgresql_where=where, sqlite_where=where)


def upgrade() -> None:
    op.create_table(
        "payment_remedies",
        sa.Column("id", ID, nullable=False),
        sa.Column("payment_id", ID, nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "PASSERELLE", "VIREMENT", "CLASSEMENT", "CONSTAT",
                name="kind", native_enum=False, create_constraint=True, length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "A_APPROUVER", "A_FAIRE", "EN_COURS", "FAIT", "REFUSE", "RETIRE",
                name="state", native_enum=False, create_constraint=True, length=40,
            ),
            nullable=False,
        ),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=16), nullable=False),
        sa.Column("anomaly", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("outside_reference", sa.String(length=120), nullable=False),
        sa.Column("prepared_by_id", ID, nullable=False),
        sa.Column("prepared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by_id", ID, nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_reason", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("asked_by_id", ID, nullable=True),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_by_id", ID, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_payment_remedies_amount_not_negative")),
        sa.CheckConstraint(
            "(kind = 'CLASSEMENT') OR (amount > 0)", name=op.f("ck_payment_remedies_money_has_an_amount")
        ),
        sa.CheckConstraint(
            "kind = 'CONSTAT' OR decided_by_id IS NULL OR decided_by_id <> prepared_by_id OR state = 'RETIRE'",
            name=op.f("ck_payment_remedies_two_people"),
        ),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name=op.f("fk_payment_remedies_payment_id")),
        sa.ForeignKeyConstraint(["prepared_by_id"], ["users.id"], name=op.f("fk_payment_remedies_prepared_by_id")),
        sa.ForeignKeyConstraint(["decided_by_id"], ["users.id"], name=op.f("fk_payment_remedies_decided_by_id")),
        sa.ForeignKeyConstraint(
            ["asked_by_id"], ["users.id"], name=op.f("fk_payment_remedies_asked_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["done_by_id"], ["users.id"], name=op.f("fk_payment_remedies_done_by_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_remedies")),
    )
    op.create_index("ix_payment_remedies_payment", "payment_remedies", ["payment_id", "id"])
    op.create_index("ix_payment_remedies_state", "payment_remedies", ["state", "id"])
    partial_index("uq_payment_remedies_open", "payment_remedies", ["payment_id"], OPEN_REMEDY, unique=True)

    answer = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    op.add_column("payments", sa.Column("gateway_answer", answer, nullable=True))
    partial_index("ix_payments_at_the_desk", "payments", ["created_at", "id"], AT_THE_DESK)

    op.add_column("statement_imports", sa.Column("storage_key", sa.String(length=255), nullable=False, server_default=""))
    op.add_column("statement_imports", sa.Column("matched_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("statement_lines", sa.Column("currency", sa.String(length=16), nullable=False, server_default="788"))
    op.add_column("statement_lines", sa.Column("approval_code", sa.String(length=40), nullable=False, server_default=""))
    partial_index("ix_statement_lines_differing", "statement_lines", ["id"], DIFFERS)


def downgrade() -> None:
    op.drop_index("ix_statement_lines_differing", table_name="statement_lines")
    for column in ("approval_code", "currency"):
        op.drop_column("statement_lines", column)
    for column in ("matched_at", "storage_key"):
        op.drop_column("statement_imports", column)
    op.drop_index("ix_payments_at_the_desk", table_name="payments")
    op.drop_column("payments", "gateway_answer")
    op.drop_table("payment_remedies")
