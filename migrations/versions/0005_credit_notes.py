"""Credit notes, the ledger of credit, refunds, statements of the gateway, electronic invoices."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


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


IMMUTABLE = ("credit_notes", "credit_note_archives", "ledger_entries")


def guard_rows() -> None:
    """What must never be, whatever the code does: a changed credit note, more given back than was invoiced, credit
    used beyond what is left."""
    if op.get_bind().dialect.name == "postgresql":
        for table in IMMUTABLE:
            op.execute(
                f"CREATE TRIGGER {table}_immutable BEFORE UPDATE OR DELETE ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
            )
            op.execute(
                f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
            )
        op.execute(
            """
            CREATE FUNCTION refuse_excess_credit() RETURNS trigger LANGUAGE plpgsql AS $$
            DECLARE invoiced bigint;
            BEGIN
                SELECT total_ttc INTO invoiced FROM invoices WHERE id = NEW.invoice_id FOR UPDATE;
                IF invoiced < NEW.total_ttc
                   + (SELECT coalesce(sum(total_ttc), 0) FROM credit_notes WHERE invoice_id = NEW.invoice_id) THEN
                    RAISE EXCEPTION 'credit notes exceed the invoice' USING ERRCODE = 'integrity_constraint_violation';
                END IF;
                RETURN NEW;
            END $$
            """
        )
        op.execute(
            "CREATE TRIGGER credit_notes_within_invoice BEFORE INSERT ON credit_notes "
            "FOR EACH ROW EXECUTE FUNCTION refuse_excess_credit()"
        )
        op.execute(
            """
            CREATE FUNCTION refuse_overdrawn_credit() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                PERFORM 1 FROM credit_notes WHERE id = NEW.credit_note_id FOR UPDATE;
                IF NEW.kind = 'UTILISATION' AND NEW.amount
                   + (SELECT coalesce(sum(amount), 0) FROM ledger_entries
                      WHERE credit_note_id = NEW.credit_note_id AND organisation_id = NEW.organisation_id) < 0 THEN
                    RAISE EXCEPTION 'credit used beyond what is left'
                        USING ERRCODE = 'integrity_constraint_violation';
                END IF;
                RETURN NEW;
            END $$
            """
        )
        op.execute(
            "CREATE TRIGGER ledger_entries_not_overdrawn BEFORE INSERT ON ledger_entries "
            "FOR EACH ROW EXECUTE FUNCTION refuse_overdrawn_credit()"
        )
        return
    for table in IMMUTABLE:
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} rows are immutable'); END"
            )
    op.execute(
        "CREATE TRIGGER credit_notes_within_invoice BEFORE INSERT ON credit_notes "
        "WHEN (SELECT total_ttc FROM invoices WHERE id = NEW.invoice_id) < NEW.total_ttc "
        "+ (SELECT coalesce(sum(total_ttc), 0) FROM credit_notes WHERE invoice_id = NEW.invoice_id) "
        "BEGIN SELECT RAISE(ABORT, 'credit notes exceed the invoice'); END"
    )
    op.execute(
        "CREATE TRIGGER ledger_entries_not_overdrawn BEFORE INSERT ON ledger_entries "
        "WHEN NEW.kind = 'UTILISATION' AND NEW.amount + (SELECT coalesce(sum(amount), 0) FROM ledger_entries "
        "WHERE credit_note_id = NEW.credit_note_id AND organisation_id = NEW.organisation_id) < 0 "
        "BEGIN SELECT RAISE(ABORT, 'credit used beyond what is left'); END"
    )


def drop_guards() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER ledger_entries_not_overdrawn ON ledger_entries")
        op.execute("DROP TRIGGER credit_notes_within_invoice ON credit_notes")
        for table in IMMUTABLE:
            op.execute(f"DROP TRIGGER {table}_immutable ON {table}")
            op.execute(f"DROP TRIGGER {table}_no_truncate ON {table}")
        op.execute("DROP FUNCTION refuse_overdrawn_credit()")
        op.execute("DROP FUNCTION refuse_excess_credit()")


def upgrade() -> None:
    op.create_table(
        "statement_imports",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("original_name", sa.String(length=255), nullable=False),
        sa.Column("sha256", sa.String(length=120), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("imported_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("row_count", sa.Integer(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["imported_by_id"], ["users.id"], name=op.f("fk_statement_imports_imported_by_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement_imports")),
        sa.UniqueConstraint("sha256", name=op.f("uq_statement_imports_sha256")),
    )

    op.create_table(
        "statement_lines",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("statement_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("operation", sa.String(length=40), nullable=False),
        sa.Column("order_number", sa.String(length=40), nullable=False),
        sa.Column("gateway_order_id", sa.String(length=120), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("payment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("match", sa.String(length=40), nullable=False),
        sa.Column("difference", sa.BigInteger(), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("resolution", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name=op.f("fk_statement_lines_payment_id")),
        sa.ForeignKeyConstraint(
            ["resolved_by_id"], ["users.id"], name=op.f("fk_statement_lines_resolved_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["statement_id"], ["statement_imports.id"], name=op.f("fk_statement_lines_statement_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement_lines")),
        sa.UniqueConstraint("statement_id", "position", name=op.f("uq_statement_lines_statement_id_position")),
    )

    op.create_index("ix_statement_lines_match", "statement_lines", ["match", "id"], unique=False)
    op.create_index("ix_statement_lines_order_number", "statement_lines", ["order_number"], unique=False)
    op.create_index("ix_statement_lines_payment_id", "statement_lines", ["payment_id"], unique=False)

    op.create_table(
        "credit_proposals",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reference", sa.String(length=40), nullable=False),
        sa.Column("invoice_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "A_APPROUVER",
                "EMIS",
                "REFUSE",
                "RETIRE",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "reason",
            sa.Enum(
                "REJET_APRES_PAIEMENT",
                "NON_RETRAIT_90_JOURS",
                "RETRAIT_DEMANDE",
                "ERREUR_TUNTRUST",
                "PAIEMENT_EN_DOUBLE",
                name="reason",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("reason_text", sa.Text(), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum(
                "CREDIT",
                "REMBOURSEMENT_PASSERELLE",
                "REMBOURSEMENT_MANUEL",
                name="outcome",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("stamp_duty", sa.BigInteger(), nullable=False),
        sa.Column("prepared_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("prepared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("edited_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("decided_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_reason", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("stamp_duty >= 0", name=op.f("ck_credit_proposals_stamp_not_negative")),
        sa.ForeignKeyConstraint(["decided_by_id"], ["users.id"], name=op.f("fk_credit_proposals_decided_by_id")),
        sa.ForeignKeyConstraint(["edited_by_id"], ["users.id"], name=op.f("fk_credit_proposals_edited_by_id")),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoices.id"], name=op.f("fk_credit_proposals_invoice_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_credit_proposals_organisation_id")
        ),
        sa.ForeignKeyConstraint(["prepared_by_id"], ["users.id"], name=op.f("fk_credit_proposals_prepared_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_proposals")),
        sa.UniqueConstraint("reference", name=op.f("uq_credit_proposals_reference")),
    )

    op.create_index("ix_credit_proposals_invoice", "credit_proposals", ["invoice_id", "id"], unique=False)
    op.create_index("ix_credit_proposals_organisation_id", "credit_proposals", ["organisation_id"], unique=False)
    op.create_index("ix_credit_proposals_state", "credit_proposals", ["state", "id"], unique=False)

    op.create_table(
        "credit_notes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("proposal_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("invoice_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum(
                "CREDIT",
                "REMBOURSEMENT_PASSERELLE",
                "REMBOURSEMENT_MANUEL",
                name="note_outcome",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("total_ht", sa.BigInteger(), nullable=False),
        sa.Column("total_vat", sa.BigInteger(), nullable=False),
        sa.Column("total_delivery", sa.BigInteger(), nullable=False),
        sa.Column("stamp_duty", sa.BigInteger(), nullable=False),
        sa.Column("total_ttc", sa.BigInteger(), nullable=False),
        sa.Column("snapshot", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("verification_code", sa.String(length=40), nullable=False),
        sa.CheckConstraint("total_ttc > 0", name=op.f("ck_credit_notes_total_positive")),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoices.id"], name=op.f("fk_credit_notes_invoice_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_credit_notes_organisation_id")
        ),
        sa.ForeignKeyConstraint(["proposal_id"], ["credit_proposals.id"], name=op.f("fk_credit_notes_proposal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_notes")),
        sa.UniqueConstraint("number", name=op.f("uq_credit_notes_number")),
        sa.UniqueConstraint("proposal_id", name=op.f("uq_credit_notes_proposal_id")),
        sa.UniqueConstraint("verification_code", name=op.f("uq_credit_notes_verification_code")),
        sa.UniqueConstraint("year", "sequence", name=op.f("uq_credit_notes_year_sequence")),
    )

    op.create_index("ix_credit_notes_invoice", "credit_notes", ["invoice_id", "id"], unique=False)
    op.create_index("ix_credit_notes_issued_at", "credit_notes", ["issued_at"], unique=False)
    op.create_index("ix_credit_notes_organisation", "credit_notes", ["organisation_id", "id"], unique=False)

    op.create_table(
        "credit_proposal_lines",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("proposal_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("payment_line_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("price_ht", sa.BigInteger(), nullable=False),
        sa.Column("vat", sa.BigInteger(), nullable=False),
        sa.Column("delivery", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "price_ht >= 0 AND vat >= 0 AND delivery >= 0", name=op.f("ck_credit_proposal_lines_not_negative")
        ),
        sa.ForeignKeyConstraint(
            ["payment_line_id"], ["payment_lines.id"], name=op.f("fk_credit_proposal_lines_payment_line_id")
        ),
        sa.ForeignKeyConstraint(
            ["proposal_id"],
            ["credit_proposals.id"],
            name=op.f("fk_credit_proposal_lines_proposal_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_proposal_lines")),
        sa.UniqueConstraint(
            "proposal_id", "payment_line_id", name=op.f("uq_credit_proposal_lines_proposal_id_payment_line_id")
        ),
    )

    op.create_index(
        "ix_credit_proposal_lines_payment_line_id", "credit_proposal_lines", ["payment_line_id"], unique=False
    )

    op.create_table(
        "credit_note_archives",
        sa.Column("credit_note_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("storage_key", sa.String(length=255), nullable=False),
        sa.Column("sha256", sa.String(length=120), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["credit_note_id"], ["credit_notes.id"], name=op.f("fk_credit_note_archives_credit_note_id")
        ),
        sa.PrimaryKeyConstraint("credit_note_id", name=op.f("pk_credit_note_archives")),
    )

    op.create_table(
        "electronic_invoices",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("invoice_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("credit_note_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("storage_key", sa.String(length=255), nullable=False),
        sa.Column("sha256", sa.String(length=120), nullable=False),
        sa.Column("signed", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "NON_ENVOYEE",
                "A_ENVOYER",
                "ENVOYEE",
                "ACCEPTEE",
                "REJETEE",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ttn_reference", sa.String(length=120), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("data", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.CheckConstraint(
            "(invoice_id IS NULL) <> (credit_note_id IS NULL)", name=op.f("ck_electronic_invoices_one_subject")
        ),
        sa.ForeignKeyConstraint(
            ["credit_note_id"], ["credit_notes.id"], name=op.f("fk_electronic_invoices_credit_note_id")
        ),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoices.id"], name=op.f("fk_electronic_invoices_invoice_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_electronic_invoices")),
        sa.UniqueConstraint("credit_note_id", name=op.f("uq_electronic_invoices_credit_note_id")),
        sa.UniqueConstraint("invoice_id", name=op.f("uq_electronic_invoices_invoice_id")),
    )

    op.create_index("ix_electronic_invoices_state", "electronic_invoices", ["state", "due_at"], unique=False)

    op.create_table(
        "ledger_entries",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("AVOIR", "UTILISATION", name="kind", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("credit_note_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("payment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(kind = 'AVOIR') = (amount > 0)", name=op.f("ck_ledger_entries_sign")),
        sa.CheckConstraint(
            "(kind = 'UTILISATION') = (payment_id IS NOT NULL)", name=op.f("ck_ledger_entries_use_names_its_payment")
        ),
        sa.CheckConstraint("amount <> 0", name=op.f("ck_ledger_entries_not_zero")),
        sa.ForeignKeyConstraint(["credit_note_id"], ["credit_notes.id"], name=op.f("fk_ledger_entries_credit_note_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_ledger_entries_organisation_id")
        ),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name=op.f("fk_ledger_entries_payment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_entries")),
        sa.UniqueConstraint("credit_note_id", "payment_id", name=op.f("uq_ledger_entries_credit_note_id_payment_id")),
    )

    op.create_index("ix_ledger_entries_organisation", "ledger_entries", ["organisation_id", "id"], unique=False)
    op.create_index("ix_ledger_entries_payment_id", "ledger_entries", ["payment_id"], unique=False)
    op.create_index(
        "uq_ledger_entries_issue",
        "ledger_entries",
        ["credit_note_id"],
        unique=True,
        postgresql_where=sa.text("kind = 'AVOIR'"),
        sqlite_where=sa.text("kind = 'AVOIR'"),
    )

    op.create_table(
        "payment_credits",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("payment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("credit_note_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_payment_credits_amount_positive")),
        sa.ForeignKeyConstraint(
            ["credit_note_id"], ["credit_notes.id"], name=op.f("fk_payment_credits_credit_note_id")
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payments.id"], name=op.f("fk_payment_credits_payment_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_credits")),
        sa.UniqueConstraint("payment_id", "credit_note_id", name=op.f("uq_payment_credits_payment_id_credit_note_id")),
    )

    op.create_index(
        "ix_payment_credits_live",
        "payment_credits",
        ["credit_note_id"],
        unique=False,
        postgresql_where=sa.text("live"),
        sqlite_where=sa.text("live"),
    )

    op.create_table(
        "refunds",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("credit_note_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("payment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "method",
            sa.Enum("PASSERELLE", "MANUEL", name="method", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "A_REMBOURSER",
                "EN_COURS",
                "REMBOURSE",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("asked_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("refunded_before", sa.BigInteger(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.Column("bank_reference", sa.String(length=120), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_refunds_amount_positive")),
        sa.ForeignKeyConstraint(
            ["asked_by_id"], ["users.id"], name=op.f("fk_refunds_asked_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["credit_note_id"], ["credit_notes.id"], name=op.f("fk_refunds_credit_note_id")),
        sa.ForeignKeyConstraint(["done_by_id"], ["users.id"], name=op.f("fk_refunds_done_by_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name=op.f("fk_refunds_payment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refunds")),
        sa.UniqueConstraint("credit_note_id", name=op.f("uq_refunds_credit_note_id")),
    )

    op.create_index("ix_refunds_payment_id", "refunds", ["payment_id"], unique=False)
    op.create_index("ix_refunds_state", "refunds", ["state", "id"], unique=False)

    op.execute(
        "ALTER TABLE payments ADD COLUMN credit_used BIGINT DEFAULT 0 NOT NULL "
        "CONSTRAINT ck_payments_credit_not_negative CHECK (credit_used >= 0)"
    )
    op.add_column("payments", sa.Column("refunded", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("payments", sa.Column("remedy", sa.Text(), nullable=False, server_default=""))
    op.add_column("payments", sa.Column("remedied_at", sa.DateTime(timezone=True), nullable=True))
    add_reference("payments", "remedied_by_id", "users", "SET NULL")
    guard_rows()


def downgrade() -> None:
    drop_guards()
    for column in ("remedied_at", "remedy", "refunded"):
        op.drop_column("payments", column)
    if op.get_bind().dialect.name == "postgresql":
        op.drop_column("payments", "remedied_by_id")
        op.drop_column("payments", "credit_used")
    else:  # SQLite drops no column that a constraint names
        with op.batch_alter_table("payments") as batch:
            batch.drop_column("remedied_by_id")
            batch.drop_constraint("credit_not_negative", type_="check")
            batch.drop_column("credit_used")
    for table in (
        "refunds",
        "payment_credits",
        "ledger_entries",
        "electronic_invoices",
        "credit_note_archives",
        "credit_proposal_lines",
        "credit_notes",
        "credit_proposals",
        "statement_lines",
        "statement_imports",
    ):
        op.drop_table(table)
