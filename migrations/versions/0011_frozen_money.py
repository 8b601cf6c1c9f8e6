"""Refuse what the first guards let through: replaced rows on SQLite, changed prices, changed electronic invoices.

SQLite's « INSERT OR REPLACE » deletes the row in its way without firing its DELETE trigger, so an issued invoice
could be overwritten (INV-1). A price is frozen when its payment is created (PRI-2): credit notes are reckoned from it.
An electronic invoice is what TTN was given (INV-3): only its way there changes.
"""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

FROZEN = {
    "payments": ("organisation_id", "amount", "credit_used", "currency", "stamp_duty", "delivery_vat_bp"),
    "payment_lines": ("payment_id", "request_id", "price_ht", "vat_rate_bp", "vat", "delivery"),
    "electronic_invoices": ("invoice_id", "credit_note_id", "storage_key", "sha256", "signed", "created_at"),
}
"""Columns that keep their first value."""

KEPT = {
    "payment_lines": "EXISTS (SELECT 1 FROM invoices WHERE invoices.payment_id = OLD.payment_id)",
    "electronic_invoices": "OLD.id IS NOT NULL",
}
"""Rows that are never deleted, and when."""

# Written by « ON CONFLICT DO NOTHING »: a second row is left out rather than refused.
FIRST_STAYS = {
    "invoice_archives": ("invoice_id = NEW.invoice_id",),
    "credit_note_archives": ("credit_note_id = NEW.credit_note_id",),
    "electronic_invoices": ("id = NEW.id", "invoice_id = NEW.invoice_id", "credit_note_id = NEW.credit_note_id"),
}
UNIQUE = {
    "invoices": (
        "id = NEW.id",
        "number = NEW.number",
        "year = NEW.year AND sequence = NEW.sequence",
        "payment_id = NEW.payment_id",
        "verification_code = NEW.verification_code",
    ),
    "credit_notes": (
        "id = NEW.id",
        "number = NEW.number",
        "year = NEW.year AND sequence = NEW.sequence",
        "proposal_id = NEW.proposal_id",
        "verification_code = NEW.verification_code",
    ),
    "ledger_entries": (
        "id = NEW.id",
        "credit_note_id = NEW.credit_note_id AND payment_id = NEW.payment_id",
        "credit_note_id = NEW.credit_note_id AND kind = 'AVOIR' AND NEW.kind = 'AVOIR'",
    ),
    "audit_entries": ("id = NEW.id", "hash = NEW.hash"),
}


def _postgresql() -> None:
    for table, columns in FROZEN.items():
        changed = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in columns)
        op.execute(
            f"CREATE TRIGGER {table}_frozen BEFORE UPDATE OF {', '.join(columns)} ON {table} "
            f"FOR EACH ROW WHEN ({changed}) EXECUTE FUNCTION refuse_change()"
        )
    op.execute(
        """
        CREATE FUNCTION refuse_deleted_price() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF EXISTS (SELECT 1 FROM invoices WHERE invoices.payment_id = OLD.payment_id) THEN
                RAISE EXCEPTION 'payment_lines rows are immutable' USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN OLD;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER payment_lines_kept BEFORE DELETE ON payment_lines "
        "FOR EACH ROW EXECUTE FUNCTION refuse_deleted_price()"
    )
    op.execute(
        "CREATE TRIGGER electronic_invoices_kept BEFORE DELETE ON electronic_invoices "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER electronic_invoices_no_truncate BEFORE TRUNCATE ON electronic_invoices "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def _sqlite() -> None:
    for table, columns in FROZEN.items():
        changed = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in columns)
        op.execute(
            f"CREATE TRIGGER {table}_frozen BEFORE UPDATE OF {', '.join(columns)} ON {table} WHEN {changed} "
            f"BEGIN SELECT RAISE(ABORT, '{table} rows are immutable'); END"
        )
    for table, condition in KEPT.items():
        op.execute(
            f"CREATE TRIGGER {table}_kept BEFORE DELETE ON {table} WHEN {condition} "
            f"BEGIN SELECT RAISE(ABORT, '{table} rows are immutable'); END"
        )
    for tables, answer in ((UNIQUE, "RAISE(ABORT, '{} rows are immutable')"), (FIRST_STAYS, "RAISE(IGNORE)")):
        for table, keys in tables.items():
            taken = " OR ".join(f"EXISTS (SELECT 1 FROM {table} WHERE {key})" for key in keys)  # noqa: S608  # names of our own
            op.execute(
                f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} WHEN {taken} "
                f"BEGIN SELECT {answer.format(table)}; END"
            )


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        _postgresql()
    else:
        _sqlite()


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table in FROZEN:
            op.execute(f"DROP TRIGGER {table}_frozen ON {table}")
        for table in KEPT:
            op.execute(f"DROP TRIGGER {table}_kept ON {table}")
        op.execute("DROP TRIGGER electronic_invoices_no_truncate ON electronic_invoices")
        op.execute("DROP FUNCTION refuse_deleted_price()")
        return
    for table in FROZEN:
        op.execute(f"DROP TRIGGER {table}_frozen")
    for table in KEPT:
        op.execute(f"DROP TRIGGER {table}_kept")
    for table in (*UNIQUE, *FIRST_STAYS):
        op.execute(f"DROP TRIGGER {table}_no_replace")
