"""Accounts, sign-ins and counted tries."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("email_key", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("password_hash", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("account_id", name="accounts_pk"),
        sa.UniqueConstraint("email_key", name="accounts_email_key"),
        sa.CheckConstraint("role IN ('customer', 'staff', 'admin')", name="accounts_role"),
    )
    op.create_table(
        "sign_ins",
        sa.Column("secret_hash", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("secret_hash", name="sign_ins_pk"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.account_id"], name="sign_ins_account"),
        sa.CheckConstraint("kind IN ('token', 'session')", name="sign_ins_kind"),
    )
    op.create_index("sign_ins_expires_at", "sign_ins", ["expires_at"])
    op.create_table(
        "tries",
        sa.Column("bucket", sa.Text, nullable=False),
        sa.Column("window_start", sa.BigInteger, nullable=False),
        sa.Column("tries", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("bucket", "window_start", name="tries_pk"),
    )
    op.create_index("tries_window_start", "tries", ["window_start"])


def downgrade() -> None:
    op.drop_table("tries")
    op.drop_table("sign_ins")
    op.drop_table("accounts")
