"""Orders from a file: the file under way, its rows, and why somebody is ordered for a second time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column(
        "certificate_requests", sa.Column("duplicate_reason", sa.Text(), nullable=False, server_default="")
    )
    op.create_table(
        "order_imports",
        sa.Column("id", ID, nullable=False),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", ID, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("certificate_type_id", ID, nullable=False),
        sa.Column("original_name", sa.String(length=255), nullable=False),
        sa.Column("fingerprint", sa.String(length=120), nullable=False),
        sa.Column("trace", sa.String(length=120), nullable=True),
        sa.Column("order_id", ID, nullable=True),
        sa.Column("locale", sa.String(length=16), nullable=False),
        sa.Column("notes", JSON, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"],
            name=op.f("fk_order_imports_organisation_id"), ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_order_imports_user_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["certificate_type_id"], ["certificate_types.id"], name=op.f("fk_order_imports_certificate_type_id")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_imports_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_imports")),
        sa.UniqueConstraint("organisation_id", "trace", name="uq_order_imports_trace"),
        sa.UniqueConstraint("public_id", name=op.f("uq_order_imports_public_id")),
    )
    op.create_index("ix_order_imports_user", "order_imports", ["user_id", "organisation_id", "id"])
    op.create_index(op.f("ix_order_imports_expires_at"), "order_imports", ["expires_at"])
    op.create_index(op.f("ix_order_imports_order_id"), "order_imports", ["order_id"])
    op.create_table(
        "order_import_rows",
        sa.Column("id", ID, nullable=False),
        sa.Column("import_id", ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("cells", JSON, nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "A_CONTROLER", "A_CORRIGER", "A_CONFIRMER", "PRETE",
                name="status", native_enum=False, create_constraint=True, length=40,
            ),
            nullable=False,
        ),
        sa.Column("line", JSON, nullable=True),
        sa.Column("problems", JSON, nullable=False),
        sa.Column("remarks", JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"], ["order_imports.id"], name=op.f("fk_order_import_rows_import_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_import_rows")),
        sa.UniqueConstraint("import_id", "number", name="uq_order_import_rows_number"),
    )
    op.create_index("ix_order_import_rows_status", "order_import_rows", ["import_id", "status", "number"])


def downgrade() -> None:
    op.drop_table("order_import_rows")
    op.drop_table("order_imports")
    op.drop_column("certificate_requests", "duplicate_reason")
