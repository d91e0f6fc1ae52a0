"""One-time secrets, second factors, and the journal of accounts."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("sign_ins_account_id", "sign_ins", ["account_id"])
    op.create_table(
        "one_time_secrets",
        sa.Column("secret_hash", sa.Text, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("secret_hash", name="one_time_secrets_pk"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account_id"], name="one_time_secrets_account", ondelete="CASCADE"
        ),
        sa.CheckConstraint("purpose IN ('new-password', 'second-step')", name="one_time_secrets_purpose"),
    )
    op.create_index("one_time_secrets_account_id", "one_time_secrets", ["account_id"])
    op.create_index("one_time_secrets_expires_at", "one_time_secrets", ["expires_at"])
    op.create_table(
        "second_factors",
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("secret", sa.Text, nullable=False),
        sa.Column("is_on", sa.Boolean, nullable=False),
        sa.Column("last_step", sa.BigInteger, nullable=False),
        sa.Column("wrong_codes", sa.BigInteger, nullable=False),
        sa.Column("wrong_since", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("account_id", name="second_factors_pk"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account_id"], name="second_factors_account", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("code_hash", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "code_hash", name="recovery_codes_pk"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["second_factors.account_id"], name="recovery_codes_account", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "account_journal",
        sa.Column("line_number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("deed", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("line_number", name="account_journal_pk"),
    )
    op.create_index("account_journal_account_id", "account_journal", ["account_id"])


def downgrade() -> None:
    op.drop_table("account_journal")
    op.drop_table("recovery_codes")
    op.drop_table("second_factors")
    op.drop_table("one_time_secrets")
    op.drop_index("sign_ins_account_id", "sign_ins")
