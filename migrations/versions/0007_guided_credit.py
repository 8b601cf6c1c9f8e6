"""What issuing a credit note also does: revoke its certificates, prepare the new order (AVO-5)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in ("revokes", "reorders"):
        op.add_column("credit_proposals", sa.Column(column, sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    for column in ("reorders", "revokes"):
        op.drop_column("credit_proposals", column)
