"""Indexes of the back office's lists: each queue in its order, words and names as they sound, typing errors.

On PostgreSQL words are found by GIN indexes, and words with a wrong letter by trigrams, which need the extension
pg_trgm. A role that may not create it is told nothing is lost: the search then looks for wrong letters among fewer
rows (docs/operations). The columns of names as they sound are filled by ``flask prepare``.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TAKEN_CHARGE = "state = 'PRISE_EN_CHARGE_PAR_TUNTRUST'"
# name: (table, columns, condition)
QUEUES: dict[str, tuple[str, list[str], str | None]] = {
    "ix_certificate_requests_to_take": (
        "certificate_requests",
        ["complete_since", "id"],
        f"{TAKEN_CHARGE} AND assigned_to_id IS NULL AND approved_at IS NULL",
    ),
    "ix_certificate_requests_approved": (
        "certificate_requests",
        ["complete_since", "id"],
        f"{TAKEN_CHARGE} AND approved_at IS NOT NULL",
    ),
    "ix_certificate_requests_held": (
        "certificate_requests",
        ["assigned_to_id", "complete_since", "id"],
        "state IN ('PRISE_EN_CHARGE_PAR_TUNTRUST', 'EN_ATTENTE_DE_JUSTIFICATIFS')",
    ),
    "ix_certificate_requests_done": (
        "certificate_requests",
        ["state_changed_at", "id"],
        "state IN ('EXPEDIEE', 'ANNULEE')",
    ),
    "ix_certificate_requests_complete": ("certificate_requests", ["complete_since", "id"], None),
    "ix_certificates_uncollected": (
        "certificates",
        ["recorded_at", "request_id"],
        "state IN ('GENERE', 'EXPEDIE') AND collected_at IS NULL",
    ),
    "ix_organisations_state_since": ("organisations", ["state", "complete_since", "id"], None),
    "ix_organisations_created": ("organisations", ["created_at", "id"], None),
    "ix_role_grants_user": ("role_grants", ["user_id"], None),
    "ix_role_grants_role": ("role_grants", ["role", "user_id"], None),
}
SEARCHED = ("certificate_requests", "organisations")


def words_of(table: str) -> str:
    """The folded words and the keys of names as one set of tokens: small letters and capitals never meet."""
    return (
        f"array_to_tsvector(array_remove(string_to_array({table}.search_text || ' ' || {table}.search_keys, ' '), ''))"
    )


def upgrade() -> None:
    for name, (table, columns, condition) in QUEUES.items():
        where = sa.text(condition) if condition else None
        op.create_index(name, table, columns, postgresql_where=where, sqlite_where=where)
    if op.get_bind().dialect.name != "postgresql":
        return
    for table in SEARCHED:
        op.execute(f"CREATE INDEX ix_{table}_words ON {table} USING gin (({words_of(table)}))")
    op.execute(
        """
        DO $$ BEGIN
            CREATE EXTENSION IF NOT EXISTS pg_trgm;
        EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported THEN
            RAISE NOTICE 'pg_trgm is not there: names with a wrong letter are looked for among fewer rows';
        END $$
        """
    )
    if op.get_bind().scalar(sa.text("SELECT count(*) FROM pg_extension WHERE extname = 'pg_trgm'")):
        for table in SEARCHED:
            op.execute(f"CREATE INDEX ix_{table}_text_trgm ON {table} USING gin (search_text gin_trgm_ops)")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table in SEARCHED:
            op.execute(f"DROP INDEX IF EXISTS ix_{table}_text_trgm")
            op.execute(f"DROP INDEX ix_{table}_words")
    for name, (table, _columns, _condition) in reversed(QUEUES.items()):
        op.drop_index(name, table_name=table)
