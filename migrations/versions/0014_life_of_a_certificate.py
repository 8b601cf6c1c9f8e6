"""The certificate's life: revocations, reminders sent, and what a renewal replaces (CRT-3 … CRT-5)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
REASONS = (
    "DEMANDE_DU_CLIENT", "DEMANDE_NON_AUTORISEE", "CLE_COMPROMISE", "CLE_NON_CONFORME", "USAGE_CONTRAIRE",
    "OBLIGATION_NON_RESPECTEE", "INFORMATION_INEXACTE", "DEPART_DU_TITULAIRE", "ORGANISATION_DISSOUTE",
    "DECES_OU_INCAPACITE", "EMISSION_NON_CONFORME", "FIN_DU_SERVICE", "AUTORITE_COMPROMISE", "EXIGENCE_PC_DPC",
    "RISQUE_TECHNIQUE", "NON_RETRAIT_90_JOURS",
)  # fmt: skip
STATES = ("A_APPROUVER", "FAITE", "REFUSEE", "RETIREE")
FOUR_EYES = "NOT by_staff OR state <> 'FAITE' OR (decided_by_id IS NOT NULL AND decided_by_id <> prepared_by_id)"
REPLACES = "replaces_id IS NOT NULL AND state <> 'ANNULEE'"


def unique_where(name: str, table: str, column: str, condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, [column], unique=True, postgresql_where=where, sqlite_where=where)


def add_reference(table: str, column: str, target: str, on_delete: str) -> None:
    """A nullable foreign key: SQLite takes it with the new column, and would otherwise copy the whole table."""
    if op.get_bind().dialect.name == "postgresql":
        op.add_column(table, sa.Column(column, sa.BigInteger(), nullable=True))
        op.create_foreign_key(f"fk_{table}_{column}", table, target, [column], ["id"], ondelete=on_delete)
    else:
        op.execute(
            f"ALTER TABLE {table} ADD COLUMN {column} INTEGER CONSTRAINT fk_{table}_{column} "
            f"REFERENCES {target} (id) ON DELETE {on_delete}"
        )


def text_enum(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def upgrade() -> None:
    op.create_table(
        "revocations",
        sa.Column("id", ID, nullable=False),
        sa.Column("reference", sa.String(length=40), nullable=False),
        sa.Column("certificate_id", ID, nullable=False),
        sa.Column("state", text_enum("state", *STATES), nullable=False),
        sa.Column("reason", text_enum("reason", *REASONS), nullable=False),
        sa.Column("reason_text", sa.Text(), nullable=False),
        sa.Column("by_staff", sa.Boolean(), nullable=False),
        sa.Column("prepared_by_id", ID, nullable=True),
        sa.Column("prepared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by_id", ID, nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_reason", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(FOUR_EYES, name=op.f("ck_revocations_four_eyes")),
        sa.ForeignKeyConstraint(["certificate_id"], ["certificates.id"], name=op.f("fk_revocations_certificate_id")),
        sa.ForeignKeyConstraint(["prepared_by_id"], ["users.id"], name=op.f("fk_revocations_prepared_by_id")),
        sa.ForeignKeyConstraint(["decided_by_id"], ["users.id"], name=op.f("fk_revocations_decided_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revocations")),
        sa.UniqueConstraint("reference", name=op.f("uq_revocations_reference")),
    )
    op.create_index("ix_revocations_state", "revocations", ["state", "id"])
    op.create_index("ix_revocations_certificate", "revocations", ["certificate_id", "id"])
    unique_where("uq_revocations_waiting", "revocations", "certificate_id", "state = 'A_APPROUVER'")
    unique_where("uq_revocations_done", "revocations", "certificate_id", "state = 'FAITE'")

    for column in ("collection_reminders", "renewal_notices"):
        op.add_column("certificates", sa.Column(column, sa.Integer(), nullable=False, server_default="0"))
    op.add_column("certificates", sa.Column("collection_reminded_at", sa.DateTime(timezone=True), nullable=True))
    add_reference("certificate_requests", "replaces_id", "certificate_requests", "SET NULL")
    unique_where("uq_certificate_requests_replaces", "certificate_requests", "replaces_id", REPLACES)


def downgrade() -> None:
    op.drop_index("uq_certificate_requests_replaces", "certificate_requests")
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("fk_certificate_requests_replaces_id", "certificate_requests", type_="foreignkey")
    op.drop_column("certificate_requests", "replaces_id")
    for column in ("collection_reminded_at", "renewal_notices", "collection_reminders"):
        op.drop_column("certificates", column)
    op.drop_table("revocations")
