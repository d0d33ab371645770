"""All tables."""

import sqlalchemy as sa
from alembic import op

from crm.db import BigId, Json, Scaled, UtcDateTime, fold
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


FOLD = 'CREATE OR REPLACE FUNCTION fold(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT lower(normalize($1, NFKC) COLLATE "und-x-icu") $$'
TEXT_INDEX = {
    "sqlite": (
        "CREATE VIRTUAL TABLE IF NOT EXISTS text_index USING fts5(words, tokenize='unicode61 remove_diacritics 0', prefix='5 6', columnsize=0, detail=none)",
    ),
    "postgresql": (
        "CREATE TABLE IF NOT EXISTS text_index (entity_id bigint PRIMARY KEY REFERENCES entities (id) ON DELETE CASCADE, words tsvector NOT NULL)",
        "CREATE INDEX IF NOT EXISTS ix_text_index_words ON text_index USING gin (words) WITH (fastupdate = off)",
    ),
}


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    if dialect == "postgresql":
        op.execute(FOLD)
    op.create_table(
        "custom_fields",
        sa.Column("id", BigId, nullable=False),
        sa.Column("module", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("label", sa.String(length=120), nullable=False),
        sa.Column("options", Json, nullable=False),
        sa.Column("is_indexed", sa.Boolean(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_custom_fields")),
        sa.UniqueConstraint("module", "name", name=op.f("uq_custom_fields_module_name")),
    )
    op.create_table(
        "entities",
        sa.Column("id", BigId, nullable=False),
        sa.Column("module", sa.String(length=40), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("label", sa.String(length=255), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entities")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_entities_module_entities_number"), "entities", ["module", "number"], unique=False)
    op.create_table(
        "identity_stamp",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("stamp", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_stamp")),
    )
    op.create_table(
        "keys",
        sa.Column("name", sa.String(length=320), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("wrapped_by", sa.String(length=16), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_keys")),
    )
    op.create_table(
        "leaders",
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("holder", sa.String(length=120), nullable=False),
        sa.Column("until", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("role", name=op.f("pk_leaders")),
    )
    op.create_table(
        "login_failures",
        sa.Column("source", sa.String(length=45), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("banned_until", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_login_failures")),
    )
    op.create_table(
        "mail_months",
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("sent_count", sa.Integer(), nullable=False),
        sa.Column("reserved_count", sa.Integer(), nullable=False),
        sa.Column("warned_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("month", name=op.f("pk_mail_months")),
    )
    op.create_table(
        "mail_portions",
        sa.Column("key", sa.String(length=300), nullable=False),
        sa.Column("free_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_mail_portions")),
    )
    op.create_table(
        "mail_workers",
        sa.Column("id", BigId, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("seen_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_workers")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "numbering",
        sa.Column("module", sa.String(length=40), nullable=False),
        sa.Column("prefix", sa.String(length=20), nullable=False),
        sa.Column("next_number", BigId, nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("module", name=op.f("pk_numbering")),
    )
    op.create_table(
        "overlay_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_overlay_version")),
    )
    op.create_table(
        "picklist_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_picklist_version")),
    )
    op.create_table(
        "picklists",
        sa.Column("id", BigId, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("label", sa.String(length=120), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_picklists")),
        sa.UniqueConstraint("name", name=op.f("uq_picklists_name")),
    )
    op.create_table(
        "profiles",
        sa.Column("id", BigId, nullable=False),
        sa.Column("key", sa.String(length=40), nullable=True),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("view_all", sa.Boolean(), nullable=False),
        sa.Column("edit_all", sa.Boolean(), nullable=False),
        sa.Column("otherwise", Json, nullable=False),
        sa.Column("modules", Json, nullable=False),
        sa.Column("areas", Json, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_profiles")),
        sa.UniqueConstraint("key", name=op.f("uq_profiles_key")),
    )
    op.create_index("uq_profiles_name", "profiles", [fold(sa.column("name"))], unique=True)
    op.create_table(
        "rejected_values",
        sa.Column("id", BigId, nullable=False),
        sa.Column("module", sa.String(length=40), nullable=False),
        sa.Column("field", sa.String(length=60), nullable=False),
        sa.Column("raw", sa.String(length=255), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("last_seen_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rejected_values")),
        sa.UniqueConstraint("module", "field", "raw", name=op.f("uq_rejected_values_module_field_raw")),
    )
    op.create_table(
        "roles",
        sa.Column("id", BigId, nullable=False),
        sa.Column("key", sa.String(length=40), nullable=True),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("parent_id", BigId, nullable=True),
        sa.Column("idle_minutes", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["parent_id"], ["roles.id"], name=op.f("fk_roles_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roles")),
        sa.UniqueConstraint("key", name=op.f("uq_roles_key")),
    )
    op.create_index(op.f("ix_roles_parent_id"), "roles", ["parent_id"], unique=False)
    op.create_index("uq_roles_name", "roles", [fold(sa.column("name"))], unique=True)
    op.create_table(
        "sharing_defaults",
        sa.Column("module", sa.String(length=40), nullable=False),
        sa.Column("level", sa.String(length=10), nullable=False),
        sa.CheckConstraint("level IN ('private', 'read', 'write', 'delete')", name=op.f("ck_sharing_defaults_level")),
        sa.PrimaryKeyConstraint("module", name=op.f("pk_sharing_defaults")),
    )
    op.create_table(
        "sharing_rules",
        sa.Column("id", BigId, nullable=False),
        sa.Column("module", sa.String(length=40), nullable=False),
        sa.Column("from_kind", sa.String(length=10), nullable=False),
        sa.Column("from_id", BigId, nullable=False),
        sa.Column("to_kind", sa.String(length=10), nullable=False),
        sa.Column("to_id", BigId, nullable=False),
        sa.Column("level", sa.String(length=10), nullable=False),
        sa.CheckConstraint("from_kind IN ('user', 'role', 'branch', 'group')", name=op.f("ck_sharing_rules_from_kind")),
        sa.CheckConstraint("level IN ('read', 'write')", name=op.f("ck_sharing_rules_level")),
        sa.CheckConstraint("to_kind IN ('user', 'role', 'branch', 'group')", name=op.f("ck_sharing_rules_to_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sharing_rules")),
    )
    op.create_index(op.f("ix_sharing_rules_module"), "sharing_rules", ["module"], unique=False)
    op.create_table(
        "site_settings",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("value", Json, nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_site_settings")),
    )
    op.create_table(
        "stored_answers",
        sa.Column("id", BigId, nullable=False),
        sa.Column("caller", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stored_answers")),
        sa.UniqueConstraint("caller", "key", name=op.f("uq_stored_answers_caller_key")),
    )
    op.create_index(op.f("ix_stored_answers_created_at"), "stored_answers", ["created_at"], unique=False)
    op.create_table(
        "timetable",
        sa.Column("task", sa.String(length=80), nullable=False),
        sa.Column("occurrence", UtcDateTime(), nullable=False),
        sa.Column("job_id", BigId, nullable=True),
        sa.PrimaryKeyConstraint("task", name=op.f("pk_timetable")),
    )
    op.create_table(
        "tokens",
        sa.Column("id", BigId, nullable=False),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("subject_id", BigId, nullable=True),
        sa.Column("data", Json, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_tokens_token_hash")),
    )
    op.create_index(op.f("ix_tokens_expires_at"), "tokens", ["expires_at"], unique=False)
    op.create_index(op.f("ix_tokens_subject_id"), "tokens", ["subject_id"], unique=False)
    op.create_table(
        "deliveries",
        sa.Column("id", BigId, nullable=False),
        sa.Column("kind", sa.String(length=40), server_default="sendout", nullable=False),
        sa.Column("sendout_id", BigId, nullable=True),
        sa.Column("dedupe_key", sa.String(length=200), nullable=True),
        sa.Column("person_module", sa.String(length=40), nullable=True),
        sa.Column("person_id", BigId, nullable=True),
        sa.Column("contact_id", BigId, nullable=True),
        sa.Column("email", sa.String(length=320), server_default="", nullable=False),
        sa.Column("email_key", sa.String(length=320), server_default="", nullable=False),
        sa.Column("state", sa.String(length=12), server_default="waiting", nullable=False),
        sa.Column("skip_reason", sa.String(length=40), nullable=True),
        sa.Column("failed_reason", sa.String(length=40), nullable=True),
        sa.Column("reply", sa.Text(), nullable=True),
        sa.Column("message_id", sa.String(length=255), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("drops", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=True),
        sa.Column("worker_id", sa.BigInteger(), nullable=True),
        sa.Column("fence", sa.Integer(), server_default="0", nullable=False),
        sa.Column("text_begun_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=True),
        sa.Column("first_read_at", UtcDateTime(), nullable=True),
        sa.Column("read_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("first_click_at", UtcDateTime(), nullable=True),
        sa.Column("click_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("unsubscribed_at", UtcDateTime(), nullable=True),
        sa.Column("bounced_at", UtcDateTime(), nullable=True),
        sa.Column("bounce_type", sa.String(length=12), nullable=True),
        sa.Column("bounce_text", sa.Text(), nullable=True),
        sa.Column("survey_answered_at", UtcDateTime(), nullable=True),
        sa.Column("payload", Json, nullable=True),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["entities.id"], name=op.f("fk_deliveries_contact_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["entities.id"], name=op.f("fk_deliveries_person_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["sendout_id"], ["entities.id"], name=op.f("fk_deliveries_sendout_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("dedupe_key", name=op.f("uq_deliveries_dedupe_key")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_deliveries_contact_id"), "deliveries", ["contact_id"], unique=False)
    op.create_index(op.f("ix_deliveries_email_key"), "deliveries", ["email_key"], unique=False)
    op.create_index(
        "ix_deliveries_leased",
        "deliveries",
        ["worker_id"],
        unique=False,
        sqlite_where=sa.text("state = 'leased'"),
        postgresql_where=sa.text("state = 'leased'"),
    )
    op.create_index(op.f("ix_deliveries_person_id"), "deliveries", ["person_id"], unique=False)
    op.create_index(
        op.f("ix_deliveries_sendout_id_deliveries_state"), "deliveries", ["sendout_id", "state"], unique=False
    )
    op.create_index(
        "uq_deliveries_sendout_id_email_key",
        "deliveries",
        ["sendout_id", "email_key"],
        unique=True,
        sqlite_where=sa.text("state <> 'skipped'"),
        postgresql_where=sa.text("state <> 'skipped'"),
    )
    op.create_index("uq_deliveries_sendout_id_person_id", "deliveries", ["sendout_id", "person_id"], unique=True)
    op.create_table(
        "entity_links",
        sa.Column("relation", sa.String(length=80), nullable=False),
        sa.Column("a_id", BigId, nullable=False),
        sa.Column("b_id", BigId, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["a_id"], ["entities.id"], name=op.f("fk_entity_links_a_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["b_id"], ["entities.id"], name=op.f("fk_entity_links_b_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("relation", "a_id", "b_id", name=op.f("pk_entity_links")),
    )
    op.create_index("ix_entity_links_back", "entity_links", ["relation", "b_id", "a_id"], unique=False)
    op.create_table(
        "groups",
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["id"], ["entities.id"], name=op.f("fk_groups_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_groups")),
    )
    op.create_index(
        "uq_groups_name",
        "groups",
        [fold(sa.column("name"))],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "jobs",
        sa.Column("id", BigId, nullable=False),
        sa.Column("task", sa.String(length=80), nullable=False),
        sa.Column("queue", sa.String(length=40), nullable=False),
        sa.Column("arguments", Json, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("run_at", UtcDateTime(), nullable=False),
        sa.Column("lease_until", sa.Double(), nullable=True),
        sa.Column("worker", sa.String(length=120), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=False),
        sa.Column("done_count", sa.Integer(), nullable=False),
        sa.Column("total_count", sa.Integer(), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_by_id", BigId, nullable=True),
        sa.Column("dedupe_key", sa.String(length=200), nullable=True),
        sa.Column("cancel_asked_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["entities.id"], name=op.f("fk_jobs_created_by_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sa.UniqueConstraint("dedupe_key", name=op.f("uq_jobs_dedupe_key")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_jobs_created_by_id_jobs_created_at"), "jobs", ["created_by_id", "created_at"], unique=False
    )
    op.create_index(op.f("ix_jobs_state_jobs_queue_jobs_run_at"), "jobs", ["state", "queue", "run_at"], unique=False)
    op.create_table(
        "mail_runs",
        sa.Column("sendout_id", BigId, autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.ForeignKeyConstraint(
            ["sendout_id"], ["entities.id"], name=op.f("fk_mail_runs_sendout_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("sendout_id", name=op.f("pk_mail_runs")),
    )
    op.create_table(
        "picklist_values",
        sa.Column("id", BigId, nullable=False),
        sa.Column("picklist_id", BigId, nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("label", sa.String(length=120), nullable=False),
        sa.Column("colour", sa.String(length=20), nullable=False),
        sa.Column("carries", Json, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["picklist_id"], ["picklists.id"], name=op.f("fk_picklist_values_picklist_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_picklist_values")),
        sa.UniqueConstraint("picklist_id", "key", name=op.f("uq_picklist_values_picklist_id_key")),
    )
    op.create_table(
        "role_profiles",
        sa.Column("role_id", BigId, nullable=False),
        sa.Column("profile_id", BigId, nullable=False),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["profiles.id"], name=op.f("fk_role_profiles_profile_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["role_id"], ["roles.id"], name=op.f("fk_role_profiles_role_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("role_id", "profile_id", name=op.f("pk_role_profiles")),
    )
    op.create_index(op.f("ix_role_profiles_profile_id"), "role_profiles", ["profile_id"], unique=False)
    op.create_table(
        "users",
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("first_name", sa.String(length=80), nullable=True),
        sa.Column("last_name", sa.String(length=80), nullable=False),
        sa.Column("title", sa.String(length=80), nullable=True),
        sa.Column("role_id", BigId, nullable=False),
        sa.Column("crm_access", sa.Boolean(), nullable=False),
        sa.Column("crm_admin", sa.Boolean(), nullable=False),
        sa.Column("ecp_access", sa.Boolean(), nullable=False),
        sa.Column("ecp_admin", sa.Boolean(), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=True),
        sa.Column("must_change_password", sa.Boolean(), nullable=False),
        sa.Column("password_changed_at", UtcDateTime(), nullable=True),
        sa.Column("phone", sa.String(length=60), nullable=True),
        sa.Column("mobile", sa.String(length=60), nullable=True),
        sa.Column("signature", sa.Text(), nullable=True),
        sa.Column("reports_to_id", BigId, nullable=True),
        sa.Column("locale", sa.String(length=10), nullable=True),
        sa.Column("timezone", sa.String(length=60), nullable=True),
        sa.Column("date_format", sa.String(length=20), nullable=True),
        sa.Column("number_format", sa.String(length=20), nullable=True),
        sa.Column("works_from", sa.Time(), nullable=True),
        sa.Column("works_until", sa.Time(), nullable=True),
        sa.Column("preferences", Json, nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("last_login_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["id"], ["entities.id"], name=op.f("fk_users_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["reports_to_id"], ["users.id"], name=op.f("fk_users_reports_to_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["role_id"], ["roles.id"], name=op.f("fk_users_role_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
    )
    op.create_index("ix_users_last_name", "users", [fold(sa.column("last_name")), "id"], unique=False)
    op.create_index(op.f("ix_users_role_id"), "users", ["role_id"], unique=False)
    op.create_index(
        "uq_users_email",
        "users",
        [fold(sa.column("email"))],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "accounts",
        sa.Column("name", sa.String(length=160), nullable=False),
        sa.Column("account_type", sa.String(length=80), nullable=True),
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        sa.Column("business_id", sa.String(length=30), nullable=True),
        sa.Column("vat_id", sa.String(length=30), nullable=True),
        sa.Column("phone", sa.String(length=60), nullable=True),
        sa.Column("fax", sa.String(length=60), nullable=True),
        sa.Column("email", sa.String(length=320), nullable=True),
        sa.Column("website", sa.String(length=500), nullable=True),
        sa.Column("industry", sa.String(length=80), nullable=True),
        sa.Column("rating", sa.String(length=80), nullable=True),
        sa.Column("employees", sa.BigInteger(), nullable=True),
        sa.Column("annual_revenue", Scaled(), nullable=True),
        sa.Column("currency", sa.String(length=80), nullable=True),
        sa.Column("language", sa.String(length=80), nullable=True),
        sa.Column("payment_term_days", sa.BigInteger(), nullable=True),
        sa.Column("invoice_delivery", sa.String(length=80), nullable=True),
        sa.Column("einvoice_address", sa.String(length=60), nullable=True),
        sa.Column("einvoice_operator", sa.String(length=80), nullable=True),
        sa.Column("einvoice_operator_code", sa.String(length=20), nullable=True),
        sa.Column("reference_customer", sa.Boolean(), nullable=False),
        sa.Column("notify_owner", sa.Boolean(), nullable=False),
        sa.Column("email_opt_out", sa.Boolean(), nullable=False),
        sa.Column("passive", sa.Boolean(), nullable=False),
        sa.Column("billing_street", sa.String(length=250), nullable=True),
        sa.Column("billing_po_box", sa.String(length=60), nullable=True),
        sa.Column("billing_postal_code", sa.String(length=20), nullable=True),
        sa.Column("billing_city", sa.String(length=80), nullable=True),
        sa.Column("billing_state", sa.String(length=80), nullable=True),
        sa.Column("billing_country", sa.String(length=80), nullable=True),
        sa.Column("shipping_street", sa.String(length=250), nullable=True),
        sa.Column("shipping_po_box", sa.String(length=60), nullable=True),
        sa.Column("shipping_postal_code", sa.String(length=20), nullable=True),
        sa.Column("shipping_city", sa.String(length=80), nullable=True),
        sa.Column("shipping_state", sa.String(length=80), nullable=True),
        sa.Column("shipping_country", sa.String(length=80), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", Json, nullable=False),
        sa.ForeignKeyConstraint(["creator_id"], ["users.id"], name=op.f("fk_accounts_creator_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["id"], ["entities.id"], name=op.f("fk_accounts_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["entities.id"], name=op.f("fk_accounts_owner_id")),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["accounts.id"], name=op.f("fk_accounts_parent_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["updater_id"], ["users.id"], name=op.f("fk_accounts_updater_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
    )
    op.create_index(
        "ix_accounts_billing_city",
        "accounts",
        [fold(sa.column("billing_city")), "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_accounts_business_id",
        "accounts",
        [fold(sa.column("business_id")), "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_accounts_created",
        "accounts",
        ["created_at", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_accounts_email",
        "accounts",
        [fold(sa.column("email")), "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_accounts_name",
        "accounts",
        [fold(sa.column("name")), "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_accounts_owner_id"), "accounts", ["owner_id"], unique=False)
    op.create_index(op.f("ix_accounts_parent_id"), "accounts", ["parent_id"], unique=False)
    op.create_index(
        "ix_accounts_updated",
        "accounts",
        ["updated_at", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_accounts_number",
        "accounts",
        ["number"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "activities",
        sa.Column("subject", sa.String(length=250), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("activity_type", sa.String(length=80), nullable=True),
        sa.Column("status", sa.String(length=80), nullable=True),
        sa.Column("priority", sa.String(length=80), nullable=True),
        sa.Column("starts_at", UtcDateTime(), nullable=True),
        sa.Column("ends_at", UtcDateTime(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("due_time", sa.Time(), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=True),
        sa.Column("completed_at", UtcDateTime(), nullable=True),
        sa.Column("location", sa.String(length=250), nullable=True),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("category", sa.String(length=80), nullable=True),
        sa.Column("reminder", sa.String(length=80), nullable=True),
        sa.Column("notify_assignee", sa.Boolean(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["creator_id"], ["users.id"], name=op.f("fk_activities_creator_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["id"], ["entities.id"], name=op.f("fk_activities_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["entities.id"], name=op.f("fk_activities_owner_id")),
        sa.ForeignKeyConstraint(
            ["updater_id"], ["users.id"], name=op.f("fk_activities_updater_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activities")),
    )
    op.create_index(
        "ix_activities_at",
        "activities",
        ["at", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_activities_created",
        "activities",
        ["created_at", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_activities_due_on",
        "activities",
        ["due_on", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_activities_owner_id"), "activities", ["owner_id"], unique=False)
    op.create_index(
        "ix_activities_starts_at",
        "activities",
        ["starts_at", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_activities_status",
        "activities",
        ["status", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_activities_subject",
        "activities",
        [fold(sa.column("subject")), "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_activities_updated",
        "activities",
        ["updated_at", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_activities_number",
        "activities",
        ["number"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", BigId, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("prefix", sa.String(length=12), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", Json, nullable=True),
        sa.Column("user_id", BigId, nullable=False),
        sa.Column("allowed_addresses", Json, nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("locked_by_id", BigId, nullable=True),
        sa.Column("last_used_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("creator_id", BigId, nullable=True),
        sa.ForeignKeyConstraint(["creator_id"], ["users.id"], name=op.f("fk_api_keys_creator_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["locked_by_id"], ["users.id"], name=op.f("fk_api_keys_locked_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_api_keys_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("prefix", name=op.f("uq_api_keys_prefix")),
    )
    op.create_index(op.f("ix_api_keys_user_id"), "api_keys", ["user_id"], unique=False)
    op.create_table(
        "change_log",
        sa.Column("id", BigId, nullable=False),
        sa.Column("entity_id", BigId, nullable=False),
        sa.Column("module", sa.String(length=40), nullable=False),
        sa.Column("field", sa.String(length=60), nullable=False),
        sa.Column("old", sa.Text(), nullable=True),
        sa.Column("new", sa.Text(), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("actor_id", BigId, nullable=True),
        sa.Column("channel", sa.String(length=12), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["users.id"], name=op.f("fk_change_log_actor_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["entity_id"], ["entities.id"], name=op.f("fk_change_log_entity_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change_log")),
    )
    op.create_index("ix_change_log_entity", "change_log", ["entity_id", "id"], unique=False)
    op.create_table(
        "files",
        sa.Column("id", BigId, nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("size", BigId, nullable=False),
        sa.Column("media_type", sa.String(length=120), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("creator_id", BigId, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["creator_id"], ["users.id"], name=op.f("fk_files_creator_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_files")),
    )
    op.create_index(op.f("ix_files_sha256"), "files", ["sha256"], unique=False)
    op.create_table(
        "group_members",
        sa.Column("group_id", BigId, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("member_id", BigId, nullable=False),
        sa.CheckConstraint("kind IN ('user', 'role', 'branch', 'group')", name=op.f("ck_group_members_kind")),
        sa.ForeignKeyConstraint(
            ["group_id"], ["groups.id"], name=op.f("fk_group_members_group_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("group_id", "kind", "member_id", name=op.f("pk_group_members")),
    )
    op.create_index("ix_group_members_member", "group_members", ["kind", "member_id"], unique=False)
    op.create_table(
        "html_snippets",
        sa.Column("name", sa.String(length=150), nullable=False),
        sa.Column("status", sa.String(length=80), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["creator_id"], ["users.id"], name=op.f("fk_html_snippets_creator_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["id"], ["entities.id"], name=op.f("fk_html_snippets_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["entities.id"], name=op.f("fk_html_snippets_owner_id")),
        sa.ForeignKeyConstraint(
            ["updater_id"], ["users.id"], name=op.f("fk_html_snippets_updater_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_html_snippets")),
    )
    op.create_index(
        "ix_html_snippets_created",
        "html_snippets",
        ["created_at", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_html_snippets_name",
        "html_snippets",
        [fold(sa.column("name")), "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_html_snippets_owner_id"), "html_snippets", ["owner_id"], unique=False)
    op.create_index(
        "ix_html_snippets_updated",
        "html_snippets",
        ["updated_at", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "imports",
        sa.Column("id", BigId, nullable=False),
        sa.Column("module", sa.String(length=40), nullable=False),
        sa.Column("user_id", BigId, nullable=True),
        sa.Column("file_name", sa.String(length=255), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("dialect", Json, nullable=False),
        sa.Column("mapping", Json, nullable=False),
        sa.Column("mode", sa.String(length=8), nullable=False),
        sa.Column("match", sa.String(length=60), nullable=False),
        sa.Column("for_all", Json, nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("done_line", sa.Integer(), nullable=False),
        sa.Column("row_count", sa.Integer(), nullable=False),
        sa.Column("created_count", sa.Integer(), nullable=False),
        sa.Column("updated_count", sa.Integer(), nullable=False),
        sa.Column("unchanged_count", sa.Integer(), nullable=False),
        sa.Column("refused_count", sa.Integer(), nullable=False),
        sa.Column("undone_count", sa.Integer(), nullable=False),
        sa.Column("job_id", BigId, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_imports_user_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imports")),
    )
    op.create_table(
        "landing_pages",
        sa.Column("name", sa.String(length=150), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=True),
        sa.Column("title", sa.String(length=200), nullable=True),
        sa.Column("language", sa.String(length=80), nullable=True),
        sa.Column("status", sa.String(length=80), nullable=False),
        sa.Column("valid_until_on", sa.Date(), nullable=True),
        sa.Column("html", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["creator_id"], ["users.id"], name=op.f("fk_landing_pages_creator_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["id"], ["entities.id"], name=op.f("fk_landing_pages_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["entities.id"], name=op.f("fk_landing_pages_owner_id")),
        sa.ForeignKeyConstraint(
            ["updater_id"], ["users.id"], name=op.f("fk_landing_pages_updater_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_landing_pages")),
    )
    op.create_index(
        "ix_landing_pages_created",
        "landing_pages",
        ["created_at", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_landing_pages_name",
        "landing_pages",
        [fold(sa.column("name")), "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_landing_pages_owner_id"), "landing_pages", ["owner_id"], unique=False)
    op.create_index(
        "ix_landing_pages_updated",
        "landing_pages",
        ["updated_at", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_landing_pages_slug",
        "landing_pages",
        [fold(sa.column("slug"))],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "list_types",
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=True),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("text_subscribed", sa.Text(), nullable=True),
        sa.Column("text_unsubscribed", sa.Text(), nullable=True),
        sa.Column("page_html", sa.Text(), nullable=True),
        sa.Column("language", sa.String(length=80), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["creator_id"], ["users.id"], name=op.f("fk_list_types_creator_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["id"], ["entities.id"], name=op.f("fk_list_types_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["entities.id"], name=op.f("fk_list_types_owner_id")),
        sa.ForeignKeyConstraint(
            ["updater_id"], ["users.id"], name=op.f("fk_list_types_updater_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_list_types")),
    )
    op.create_index(
        "ix_list_types_created",
        "list_types",
        ["created_at", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_list_types_name",
        "list_types",
        [fold(sa.column("name")), "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_list_types_owner_id"), "list_types", ["owner_id"], unique=False)
    op.create_index(
        "ix_list_types_updated",
        "list_types",
        ["updated_at", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_list_types_name",
        "list_types",
        [fold(sa.column("name"))],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_list_types_slug",
        "list_types",
        [fold(sa.column("slug"))],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "list_view_choices",
        sa.Column("user_id", BigId, nullable=False),
        sa.Column("module", sa.String(length=40), nullable=False),
        sa.Column("purpose", sa.String(length=10), nullable=False),
        sa.Column("view", sa.String(length=40), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_list_view_choices_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "module", "purpose", "view", name=op.f("pk_list_view_choices")),
    )
    op.create_index(
        op.f("ix_list_view_choices_module_list_view_choices_view"),
        "list_view_choices",
        ["module", "view"],
        unique=False,
    )
    op.create_table(
        "list_views",
        sa.Column("id", BigId, nullable=False),
        sa.Column("module", sa.String(length=40), nullable=False),
        sa.Column("owner_id", BigId, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("columns", Json, nullable=False),
        sa.Column("sort", Json, nullable=False),
        sa.Column("where", Json, nullable=False),
        sa.Column("kanban_field", sa.String(length=60), nullable=True),
        sa.Column("visibility", sa.String(length=10), nullable=False),
        sa.Column("is_approved", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_list_views_owner_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_list_views")),
    )
    op.create_index(
        op.f("ix_list_views_module_list_views_owner_id"), "list_views", ["module", "owner_id"], unique=False
    )
    op.create_table(
        "login_history",
        sa.Column("id", BigId, nullable=False),
        sa.Column("user_id", BigId, nullable=True),
        sa.Column("app", sa.String(length=10), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("address", sa.String(length=45), nullable=False),
        sa.Column("agent", sa.String(length=255), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("session_id", BigId, nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("ended_by", sa.String(length=20), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_login_history_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_history")),
    )
    op.create_index(op.f("ix_login_history_at"), "login_history", ["at"], unique=False)
    op.create_index(op.f("ix_login_history_session_id"), "login_history", ["session_id"], unique=False)
    op.create_index(op.f("ix_login_history_user_id_login_history_at"), "login_history", ["user_id", "at"], unique=False)
    op.create_table(
        "plans",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("list_type_limit", sa.BigInteger(), nullable=True),
        sa.Column("monthly_mail_limit", sa.BigInteger(), nullable=True),
        sa.Column("current", sa.Boolean(), nullable=False),
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", Json, nullable=False),
        sa.ForeignKeyConstraint(["creator_id"], ["users.id"], name=op.f("fk_plans_creator_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["id"], ["entities.id"], name=op.f("fk_plans_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["entities.id"], name=op.f("fk_plans_owner_id")),
        sa.ForeignKeyConstraint(["updater_id"], ["users.id"], name=op.f("fk_plans_updater_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plans")),
    )
    op.create_index(
        "ix_plans_created",
        "plans",
        ["created_at", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_plans_name",
        "plans",
        [fold(sa.column("name")), "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_plans_owner_id"), "plans", ["owner_id"], unique=False)
    op.create_index(
        "ix_plans_updated",
        "plans",
        ["updated_at", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_plans_key",
        "plans",
        [fold(sa.column("key"))],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "products",
        sa.Column("name", sa.String(length=160), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("product_type", sa.String(length=80), nullable=False),
        sa.Column("category", sa.String(length=80), nullable=True),
        sa.Column("manufacturer", sa.String(length=120), nullable=True),
        sa.Column("sales_start_on", sa.Date(), nullable=True),
        sa.Column("sales_end_on", sa.Date(), nullable=True),
        sa.Column("unit_price", Scaled(), nullable=True),
        sa.Column("purchase_price", Scaled(), nullable=True),
        sa.Column("usage_unit", sa.String(length=80), nullable=True),
        sa.Column("qty_per_unit", Scaled(), nullable=True),
        sa.Column("tax_percent", Scaled(), nullable=True),
        sa.Column("commission_product", sa.Boolean(), nullable=False),
        sa.Column("commission_percent", Scaled(), nullable=True),
        sa.Column("internal_product", sa.Boolean(), nullable=False),
        sa.Column("recurring", sa.Boolean(), nullable=False),
        sa.Column("recurring_interval", sa.String(length=80), nullable=True),
        sa.Column("requires_approval", sa.Boolean(), nullable=False),
        sa.Column("gl_account", sa.String(length=40), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", Json, nullable=False),
        sa.ForeignKeyConstraint(["creator_id"], ["users.id"], name=op.f("fk_products_creator_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["id"], ["entities.id"], name=op.f("fk_products_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["entities.id"], name=op.f("fk_products_owner_id")),
        sa.ForeignKeyConstraint(["updater_id"], ["users.id"], name=op.f("fk_products_updater_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_products")),
    )
    op.create_index(
        "ix_products_created",
        "products",
        ["created_at", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_products_name",
        "products",
        [fold(sa.column("name")), "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_products_owner_id"), "products", ["owner_id"], unique=False)
    op.create_index(
        "ix_products_updated",
        "products",
        ["updated_at", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_products_code",
        "products",
        [fold(sa.column("code"))],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_products_number",
        "products",
        ["number"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "sender_addresses",
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("display_name", sa.String(length=100), nullable=True),
        sa.Column("state", sa.String(length=80), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("confirmed_at", UtcDateTime(), nullable=True),
        sa.Column("asked_at", UtcDateTime(), nullable=True),
        sa.Column("checked_at", UtcDateTime(), nullable=True),
        sa.Column("check_result", sa.Text(), nullable=True),
        sa.Column("override_note", sa.String(length=250), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["creator_id"], ["users.id"], name=op.f("fk_sender_addresses_creator_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["id"], ["entities.id"], name=op.f("fk_sender_addresses_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["entities.id"], name=op.f("fk_sender_addresses_owner_id")),
        sa.ForeignKeyConstraint(
            ["updater_id"], ["users.id"], name=op.f("fk_sender_addresses_updater_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sender_addresses")),
    )
    op.create_index(
        "ix_sender_addresses_address",
        "sender_addresses",
        [fold(sa.column("address")), "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_sender_addresses_created",
        "sender_addresses",
        ["created_at", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_sender_addresses_owner_id"), "sender_addresses", ["owner_id"], unique=False)
    op.create_index(
        "ix_sender_addresses_updated",
        "sender_addresses",
        ["updated_at", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_sender_addresses_address",
        "sender_addresses",
        [fold(sa.column("address"))],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "sessions",
        sa.Column("id", BigId, nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("app", sa.String(length=10), nullable=False),
        sa.Column("user_id", BigId, nullable=True),
        sa.Column("portal_user_id", BigId, nullable=True),
        sa.Column("idle_minutes", sa.Integer(), nullable=False),
        sa.Column("address", sa.String(length=45), nullable=False),
        sa.Column("agent", sa.String(length=255), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sessions_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sessions_token_hash")),
    )
    op.create_index(op.f("ix_sessions_ends_at"), "sessions", ["ends_at"], unique=False)
    op.create_index(op.f("ix_sessions_portal_user_id"), "sessions", ["portal_user_id"], unique=False)
    op.create_index(op.f("ix_sessions_user_id_sessions_app"), "sessions", ["user_id", "app"], unique=False)
    op.create_table(
        "contacts",
        sa.Column("salutation", sa.String(length=80), nullable=True),
        sa.Column("first_name", sa.String(length=60), nullable=True),
        sa.Column("last_name", sa.String(length=80), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("title", sa.String(length=80), nullable=True),
        sa.Column("department", sa.String(length=80), nullable=True),
        sa.Column("reports_to_id", sa.BigInteger(), nullable=True),
        sa.Column("contact_type", sa.String(length=80), nullable=True),
        sa.Column("temperature", sa.String(length=80), nullable=True),
        sa.Column("email", sa.String(length=320), nullable=True),
        sa.Column("email_key", sa.String(length=320), nullable=True),
        sa.Column("secondary_email", sa.String(length=320), nullable=True),
        sa.Column("phone", sa.String(length=60), nullable=True),
        sa.Column("mobile", sa.String(length=60), nullable=True),
        sa.Column("home_phone", sa.String(length=60), nullable=True),
        sa.Column("fax", sa.String(length=60), nullable=True),
        sa.Column("assistant", sa.String(length=80), nullable=True),
        sa.Column("assistant_phone", sa.String(length=60), nullable=True),
        sa.Column("born_on", sa.Date(), nullable=True),
        sa.Column("language", sa.String(length=80), nullable=True),
        sa.Column("lead_source", sa.String(length=80), nullable=True),
        sa.Column("reference", sa.Boolean(), nullable=False),
        sa.Column("notify_owner", sa.Boolean(), nullable=False),
        sa.Column("passive", sa.Boolean(), nullable=False),
        sa.Column("email_opt_out", sa.Boolean(), nullable=False),
        sa.Column("email_opt_out_at", UtcDateTime(), nullable=True),
        sa.Column("email_opt_out_source", sa.String(length=120), nullable=True),
        sa.Column("email_opt_in", sa.String(length=80), nullable=True),
        sa.Column("email_opt_in_at", UtcDateTime(), nullable=True),
        sa.Column("email_opt_in_source", sa.String(length=120), nullable=True),
        sa.Column("email_status", sa.String(length=80), nullable=True),
        sa.Column("do_not_call", sa.Boolean(), nullable=False),
        sa.Column("do_not_sms", sa.Boolean(), nullable=False),
        sa.Column("may_measure_opens", sa.String(length=80), nullable=False),
        sa.Column("may_measure_opens_at", UtcDateTime(), nullable=True),
        sa.Column("may_measure_opens_source", sa.String(length=120), nullable=True),
        sa.Column("may_measure_opens_wording", sa.Text(), nullable=True),
        sa.Column("mailing_street", sa.String(length=250), nullable=True),
        sa.Column("mailing_po_box", sa.String(length=60), nullable=True),
        sa.Column("mailing_postal_code", sa.String(length=20), nullable=True),
        sa.Column("mailing_city", sa.String(length=80), nullable=True),
        sa.Column("mailing_state", sa.String(length=80), nullable=True),
        sa.Column("mailing_country", sa.String(length=80), nullable=True),
        sa.Column("other_street", sa.String(length=250), nullable=True),
        sa.Column("other_po_box", sa.String(length=60), nullable=True),
        sa.Column("other_postal_code", sa.String(length=20), nullable=True),
        sa.Column("other_city", sa.String(length=80), nullable=True),
        sa.Column("other_state", sa.String(length=80), nullable=True),
        sa.Column("other_country", sa.String(length=80), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_contacts_account_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["creator_id"], ["users.id"], name=op.f("fk_contacts_creator_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["id"], ["entities.id"], name=op.f("fk_contacts_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["entities.id"], name=op.f("fk_contacts_owner_id")),
        sa.ForeignKeyConstraint(
            ["reports_to_id"], ["contacts.id"], name=op.f("fk_contacts_reports_to_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["updater_id"], ["users.id"], name=op.f("fk_contacts_updater_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contacts")),
    )
    op.create_index(op.f("ix_contacts_account_id"), "contacts", ["account_id"], unique=False)
    op.create_index(
        "ix_contacts_created",
        "contacts",
        ["created_at", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_contacts_email",
        "contacts",
        [fold(sa.column("email")), "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_contacts_email_key",
        "contacts",
        [fold(sa.column("email_key")), "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_contacts_email_opt_out",
        "contacts",
        ["email_opt_out", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_contacts_first_name",
        "contacts",
        [fold(sa.column("first_name")), "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_contacts_last_name",
        "contacts",
        [fold(sa.column("last_name")), "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_contacts_mailing_city",
        "contacts",
        [fold(sa.column("mailing_city")), "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_contacts_owner_id"), "contacts", ["owner_id"], unique=False)
    op.create_index(op.f("ix_contacts_reports_to_id"), "contacts", ["reports_to_id"], unique=False)
    op.create_index(
        "ix_contacts_secondary_email",
        "contacts",
        [fold(sa.column("secondary_email")), "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_contacts_updated",
        "contacts",
        ["updated_at", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_contacts_number",
        "contacts",
        ["number"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "email_templates",
        sa.Column("name", sa.String(length=150), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("status", sa.String(length=80), nullable=False),
        sa.Column("folder", sa.String(length=80), nullable=True),
        sa.Column("subject", sa.String(length=200), nullable=True),
        sa.Column("preheader", sa.String(length=150), nullable=True),
        sa.Column("sender_name", sa.String(length=100), nullable=True),
        sa.Column("sender_address_id", sa.BigInteger(), nullable=True),
        sa.Column("reply_to", sa.String(length=320), nullable=True),
        sa.Column("list_type_hint_id", sa.BigInteger(), nullable=True),
        sa.Column("language", sa.String(length=80), nullable=True),
        sa.Column("mjml", sa.Text(), nullable=True),
        sa.Column("html", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("template_id", sa.BigInteger(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["creator_id"], ["users.id"], name=op.f("fk_email_templates_creator_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["id"], ["entities.id"], name=op.f("fk_email_templates_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["list_type_hint_id"],
            ["list_types.id"],
            name=op.f("fk_email_templates_list_type_hint_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["entities.id"], name=op.f("fk_email_templates_owner_id")),
        sa.ForeignKeyConstraint(
            ["sender_address_id"],
            ["sender_addresses.id"],
            name=op.f("fk_email_templates_sender_address_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["template_id"], ["email_templates.id"], name=op.f("fk_email_templates_template_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["updater_id"], ["users.id"], name=op.f("fk_email_templates_updater_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_email_templates")),
    )
    op.create_index(
        "ix_email_templates_created",
        "email_templates",
        ["created_at", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        op.f("ix_email_templates_list_type_hint_id"), "email_templates", ["list_type_hint_id"], unique=False
    )
    op.create_index(
        "ix_email_templates_name",
        "email_templates",
        [fold(sa.column("name")), "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_email_templates_owner_id"), "email_templates", ["owner_id"], unique=False)
    op.create_index(
        op.f("ix_email_templates_sender_address_id"), "email_templates", ["sender_address_id"], unique=False
    )
    op.create_index(
        "ix_email_templates_status",
        "email_templates",
        ["status", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_email_templates_template_id"), "email_templates", ["template_id"], unique=False)
    op.create_index(
        "ix_email_templates_updated",
        "email_templates",
        ["updated_at", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_email_templates_number",
        "email_templates",
        ["number"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "entity_files",
        sa.Column("entity_id", BigId, nullable=False),
        sa.Column("file_id", BigId, nullable=False),
        sa.ForeignKeyConstraint(
            ["entity_id"], ["entities.id"], name=op.f("fk_entity_files_entity_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["file_id"], ["files.id"], name=op.f("fk_entity_files_file_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("entity_id", "file_id", name=op.f("pk_entity_files")),
    )
    op.create_index(op.f("ix_entity_files_file_id"), "entity_files", ["file_id"], unique=False)
    op.create_table(
        "import_faults",
        sa.Column("id", BigId, nullable=False),
        sa.Column("import_id", BigId, nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("is_refusal", sa.Boolean(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("cells", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"], ["imports.id"], name=op.f("fk_import_faults_import_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_faults")),
    )
    op.create_index("ix_import_faults_import", "import_faults", ["import_id", "line"], unique=False)
    op.create_table(
        "imported_rows",
        sa.Column("import_id", BigId, nullable=False),
        sa.Column("entity_id", BigId, nullable=False),
        sa.ForeignKeyConstraint(
            ["entity_id"], ["entities.id"], name=op.f("fk_imported_rows_entity_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["import_id"], ["imports.id"], name=op.f("fk_imported_rows_import_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("import_id", "entity_id", name=op.f("pk_imported_rows")),
    )
    op.create_table(
        "public_pictures",
        sa.Column("name", sa.String(length=22), nullable=False),
        sa.Column("ending", sa.String(length=4), nullable=False),
        sa.Column("file_id", BigId, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["files.id"], name=op.f("fk_public_pictures_file_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_public_pictures")),
    )
    op.create_index(op.f("ix_public_pictures_file_id"), "public_pictures", ["file_id"], unique=False)
    op.create_table(
        "campaigns",
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("type", sa.String(length=80), nullable=False),
        sa.Column("status", sa.String(length=80), nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("closes_on", sa.Date(), nullable=True),
        sa.Column("auto_template_id", sa.BigInteger(), nullable=True),
        sa.Column("product_id", sa.BigInteger(), nullable=True),
        sa.Column("target_audience", sa.String(length=255), nullable=True),
        sa.Column("target_size", sa.BigInteger(), nullable=True),
        sa.Column("sponsor", sa.String(length=120), nullable=True),
        sa.Column("budget_cost", Scaled(), nullable=True),
        sa.Column("actual_cost", Scaled(), nullable=True),
        sa.Column("expected_revenue", Scaled(), nullable=True),
        sa.Column("expected_response", sa.String(length=80), nullable=True),
        sa.Column("expected_sales", sa.BigInteger(), nullable=True),
        sa.Column("actual_sales", sa.BigInteger(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["auto_template_id"],
            ["email_templates.id"],
            name=op.f("fk_campaigns_auto_template_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["creator_id"], ["users.id"], name=op.f("fk_campaigns_creator_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["id"], ["entities.id"], name=op.f("fk_campaigns_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["entities.id"], name=op.f("fk_campaigns_owner_id")),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_campaigns_product_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["updater_id"], ["users.id"], name=op.f("fk_campaigns_updater_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaigns")),
    )
    op.create_index(op.f("ix_campaigns_auto_template_id"), "campaigns", ["auto_template_id"], unique=False)
    op.create_index(
        "ix_campaigns_closes_on",
        "campaigns",
        ["closes_on", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_campaigns_created",
        "campaigns",
        ["created_at", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_campaigns_name",
        "campaigns",
        [fold(sa.column("name")), "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_campaigns_owner_id"), "campaigns", ["owner_id"], unique=False)
    op.create_index(op.f("ix_campaigns_product_id"), "campaigns", ["product_id"], unique=False)
    op.create_index(
        "ix_campaigns_updated",
        "campaigns",
        ["updated_at", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_campaigns_number",
        "campaigns",
        ["number"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "emails",
        sa.Column("subject", sa.String(length=500), nullable=True),
        sa.Column("direction", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=80), nullable=False),
        sa.Column("from_address", sa.String(length=500), nullable=True),
        sa.Column("to_addresses", sa.Text(), nullable=False),
        sa.Column("cc_addresses", sa.Text(), nullable=True),
        sa.Column("reply_to", sa.String(length=320), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("html", sa.Text(), nullable=True),
        sa.Column("message_id", sa.String(length=300), nullable=True),
        sa.Column("in_reply_to", sa.String(length=300), nullable=True),
        sa.Column("email_template_id", sa.BigInteger(), nullable=True),
        sa.Column("failed_reason", sa.String(length=500), nullable=True),
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", Json, nullable=False),
        sa.ForeignKeyConstraint(["creator_id"], ["users.id"], name=op.f("fk_emails_creator_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["email_template_id"], ["email_templates.id"], name=op.f("fk_emails_email_template_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["id"], ["entities.id"], name=op.f("fk_emails_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["entities.id"], name=op.f("fk_emails_owner_id")),
        sa.ForeignKeyConstraint(["updater_id"], ["users.id"], name=op.f("fk_emails_updater_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_emails")),
    )
    op.create_index(
        "ix_emails_at",
        "emails",
        ["at", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_emails_created",
        "emails",
        ["created_at", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_emails_email_template_id"), "emails", ["email_template_id"], unique=False)
    op.create_index(
        "ix_emails_message_id",
        "emails",
        [fold(sa.column("message_id")), "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_emails_owner_id"), "emails", ["owner_id"], unique=False)
    op.create_index(
        "ix_emails_subject",
        "emails",
        [fold(sa.column("subject")), "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_emails_updated",
        "emails",
        ["updated_at", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_emails_number",
        "emails",
        ["number"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "suppressions",
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("email_key", sa.String(length=320), nullable=True),
        sa.Column("scope", sa.String(length=80), nullable=False),
        sa.Column("scope_id", sa.BigInteger(), nullable=True),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("contact_id", sa.BigInteger(), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=True),
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("note", sa.String(length=500), nullable=True),
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contacts.id"], name=op.f("fk_suppressions_contact_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["creator_id"], ["users.id"], name=op.f("fk_suppressions_creator_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["id"], ["entities.id"], name=op.f("fk_suppressions_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["entities.id"], name=op.f("fk_suppressions_owner_id")),
        sa.ForeignKeyConstraint(
            ["person_id"], ["entities.id"], name=op.f("fk_suppressions_person_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["scope_id"], ["entities.id"], name=op.f("fk_suppressions_scope_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["updater_id"], ["users.id"], name=op.f("fk_suppressions_updater_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suppressions")),
    )
    op.create_index("ix_suppressions_allow", "suppressions", ["email_key", "scope", "scope_id", "active"], unique=False)
    op.create_index(
        "ix_suppressions_at",
        "suppressions",
        ["at", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_suppressions_contact_id"), "suppressions", ["contact_id"], unique=False)
    op.create_index(
        "ix_suppressions_created",
        "suppressions",
        ["created_at", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_suppressions_email",
        "suppressions",
        [fold(sa.column("email")), "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_suppressions_owner_id"), "suppressions", ["owner_id"], unique=False)
    op.create_index(op.f("ix_suppressions_person_id"), "suppressions", ["person_id"], unique=False)
    op.create_index(op.f("ix_suppressions_scope_id"), "suppressions", ["scope_id"], unique=False)
    op.create_index(
        "ix_suppressions_updated",
        "suppressions",
        ["updated_at", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "target_groups",
        sa.Column("name", sa.String(length=150), nullable=False),
        sa.Column("group_type", sa.String(length=80), nullable=True),
        sa.Column("public", sa.String(length=80), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column(
            "conditions",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
        ),
        sa.Column("everybody", sa.Boolean(), nullable=False),
        sa.Column("leave_out_unmailable", sa.Boolean(), nullable=False),
        sa.Column("sample", sa.String(length=80), nullable=False),
        sa.Column("sample_size", sa.BigInteger(), nullable=True),
        sa.Column("sample_seed", sa.BigInteger(), nullable=True),
        sa.Column("send_template_id", sa.BigInteger(), nullable=True),
        sa.Column("auto_campaigns", sa.Boolean(), nullable=False),
        sa.Column("member_count", sa.BigInteger(), nullable=True),
        sa.Column("last_refreshed_at", UtcDateTime(), nullable=True),
        sa.Column("refresh_error", sa.String(length=500), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["creator_id"], ["users.id"], name=op.f("fk_target_groups_creator_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["id"], ["entities.id"], name=op.f("fk_target_groups_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["entities.id"], name=op.f("fk_target_groups_owner_id")),
        sa.ForeignKeyConstraint(
            ["send_template_id"],
            ["email_templates.id"],
            name=op.f("fk_target_groups_send_template_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["updater_id"], ["users.id"], name=op.f("fk_target_groups_updater_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_target_groups")),
    )
    op.create_index(
        "ix_target_groups_created",
        "target_groups",
        ["created_at", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_target_groups_name",
        "target_groups",
        [fold(sa.column("name")), "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_target_groups_owner_id"), "target_groups", ["owner_id"], unique=False)
    op.create_index(op.f("ix_target_groups_send_template_id"), "target_groups", ["send_template_id"], unique=False)
    op.create_index(
        "ix_target_groups_updated",
        "target_groups",
        ["updated_at", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_target_groups_number",
        "target_groups",
        ["number"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "campaign_members",
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("person_module", sa.String(length=80), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.String(length=80), nullable=False),
        sa.Column("added_at", UtcDateTime(), nullable=False),
        sa.Column("added_by", sa.String(length=80), nullable=False),
        sa.Column("added_by_id", sa.BigInteger(), nullable=True),
        sa.Column("left_at", UtcDateTime(), nullable=True),
        sa.Column("result_code", sa.String(length=80), nullable=True),
        sa.Column("result_note", sa.String(length=500), nullable=True),
        sa.Column("auto_mail_at", UtcDateTime(), nullable=True),
        sa.Column("id", BigId, nullable=False),
        sa.ForeignKeyConstraint(
            ["added_by_id"], ["users.id"], name=op.f("fk_campaign_members_added_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_campaign_members_campaign_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contacts.id"], name=op.f("fk_campaign_members_contact_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["entities.id"], name=op.f("fk_campaign_members_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_members")),
    )
    op.create_index("ix_campaign_members_added", "campaign_members", ["person_id", "added_at"], unique=False)
    op.create_index(op.f("ix_campaign_members_campaign_id"), "campaign_members", ["campaign_id"], unique=False)
    op.create_index(op.f("ix_campaign_members_contact_id"), "campaign_members", ["contact_id"], unique=False)
    op.create_index(op.f("ix_campaign_members_person_id"), "campaign_members", ["person_id"], unique=False)
    op.create_index(
        "ix_campaign_members_state", "campaign_members", ["campaign_id", "state", "person_id"], unique=False
    )
    op.create_index("uq_campaign_members_person", "campaign_members", ["campaign_id", "person_id"], unique=True)
    op.create_table(
        "leads",
        sa.Column("salutation", sa.String(length=80), nullable=True),
        sa.Column("first_name", sa.String(length=60), nullable=True),
        sa.Column("last_name", sa.String(length=80), nullable=False),
        sa.Column("company", sa.String(length=120), nullable=False),
        sa.Column("title", sa.String(length=80), nullable=True),
        sa.Column("lead_status", sa.String(length=80), nullable=False),
        sa.Column("lead_source", sa.String(length=80), nullable=True),
        sa.Column("rating", sa.String(length=80), nullable=True),
        sa.Column("industry", sa.String(length=80), nullable=True),
        sa.Column("annual_revenue", Scaled(), nullable=True),
        sa.Column("employees", sa.BigInteger(), nullable=True),
        sa.Column("business_id", sa.String(length=30), nullable=True),
        sa.Column("phone", sa.String(length=60), nullable=True),
        sa.Column("mobile", sa.String(length=60), nullable=True),
        sa.Column("fax", sa.String(length=60), nullable=True),
        sa.Column("email", sa.String(length=320), nullable=True),
        sa.Column("email_key", sa.String(length=320), nullable=True),
        sa.Column("secondary_email", sa.String(length=320), nullable=True),
        sa.Column("website", sa.String(length=500), nullable=True),
        sa.Column("street", sa.String(length=250), nullable=True),
        sa.Column("po_box", sa.String(length=60), nullable=True),
        sa.Column("postal_code", sa.String(length=20), nullable=True),
        sa.Column("city", sa.String(length=80), nullable=True),
        sa.Column("state", sa.String(length=80), nullable=True),
        sa.Column("country", sa.String(length=80), nullable=True),
        sa.Column("language", sa.String(length=80), nullable=True),
        sa.Column("email_opt_out", sa.Boolean(), nullable=False),
        sa.Column("email_opt_out_at", UtcDateTime(), nullable=True),
        sa.Column("email_opt_out_source", sa.String(length=120), nullable=True),
        sa.Column("email_opt_in", sa.String(length=80), nullable=True),
        sa.Column("email_opt_in_at", UtcDateTime(), nullable=True),
        sa.Column("email_opt_in_source", sa.String(length=120), nullable=True),
        sa.Column("email_status", sa.String(length=80), nullable=True),
        sa.Column("may_measure_opens", sa.String(length=80), nullable=False),
        sa.Column("may_measure_opens_at", UtcDateTime(), nullable=True),
        sa.Column("may_measure_opens_source", sa.String(length=120), nullable=True),
        sa.Column("may_measure_opens_wording", sa.Text(), nullable=True),
        sa.Column("do_not_call", sa.Boolean(), nullable=False),
        sa.Column("do_not_sms", sa.Boolean(), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=True),
        sa.Column("converted_at", UtcDateTime(), nullable=True),
        sa.Column("converted_account_id", sa.BigInteger(), nullable=True),
        sa.Column("converted_contact_id", sa.BigInteger(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_leads_campaign_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["converted_account_id"], ["accounts.id"], name=op.f("fk_leads_converted_account_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["converted_contact_id"], ["contacts.id"], name=op.f("fk_leads_converted_contact_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["creator_id"], ["users.id"], name=op.f("fk_leads_creator_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["id"], ["entities.id"], name=op.f("fk_leads_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["entities.id"], name=op.f("fk_leads_owner_id")),
        sa.ForeignKeyConstraint(["updater_id"], ["users.id"], name=op.f("fk_leads_updater_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leads")),
    )
    op.create_index(op.f("ix_leads_campaign_id"), "leads", ["campaign_id"], unique=False)
    op.create_index(
        "ix_leads_city",
        "leads",
        [fold(sa.column("city")), "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_leads_company",
        "leads",
        [fold(sa.column("company")), "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_leads_converted_account_id"), "leads", ["converted_account_id"], unique=False)
    op.create_index(
        "ix_leads_converted_at",
        "leads",
        ["converted_at", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_leads_converted_contact_id"), "leads", ["converted_contact_id"], unique=False)
    op.create_index(
        "ix_leads_created",
        "leads",
        ["created_at", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_leads_email",
        "leads",
        [fold(sa.column("email")), "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_leads_email_key",
        "leads",
        [fold(sa.column("email_key")), "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_leads_last_name",
        "leads",
        [fold(sa.column("last_name")), "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_leads_owner_id"), "leads", ["owner_id"], unique=False)
    op.create_index(
        "ix_leads_updated",
        "leads",
        ["updated_at", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_leads_number",
        "leads",
        ["number"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "portal_target_groups",
        sa.Column("name", sa.String(length=150), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("list_type_id", sa.BigInteger(), nullable=False),
        sa.Column("imported_at", UtcDateTime(), nullable=True),
        sa.Column("imported_by_id", sa.BigInteger(), nullable=True),
        sa.Column("refreshed_at", UtcDateTime(), nullable=True),
        sa.Column("contact_count", sa.BigInteger(), nullable=True),
        sa.Column("skipped_no_email_count", sa.BigInteger(), nullable=True),
        sa.Column("invalid_count", sa.BigInteger(), nullable=True),
        sa.Column("duplicate_count", sa.BigInteger(), nullable=True),
        sa.Column("unsubscribed_count", sa.BigInteger(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_portal_target_groups_campaign_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["creator_id"], ["users.id"], name=op.f("fk_portal_target_groups_creator_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["id"], ["entities.id"], name=op.f("fk_portal_target_groups_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["imported_by_id"], ["users.id"], name=op.f("fk_portal_target_groups_imported_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["list_type_id"], ["list_types.id"], name=op.f("fk_portal_target_groups_list_type_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["entities.id"], name=op.f("fk_portal_target_groups_owner_id")),
        sa.ForeignKeyConstraint(
            ["updater_id"], ["users.id"], name=op.f("fk_portal_target_groups_updater_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_portal_target_groups")),
    )
    op.create_index(op.f("ix_portal_target_groups_campaign_id"), "portal_target_groups", ["campaign_id"], unique=False)
    op.create_index(
        "ix_portal_target_groups_created",
        "portal_target_groups",
        ["created_at", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        op.f("ix_portal_target_groups_list_type_id"), "portal_target_groups", ["list_type_id"], unique=False
    )
    op.create_index(
        "ix_portal_target_groups_name",
        "portal_target_groups",
        [fold(sa.column("name")), "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_portal_target_groups_owner_id"), "portal_target_groups", ["owner_id"], unique=False)
    op.create_index(
        "ix_portal_target_groups_updated",
        "portal_target_groups",
        ["updated_at", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "sendouts",
        sa.Column("name", sa.String(length=150), nullable=False),
        sa.Column("email_template_id", sa.BigInteger(), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=True),
        sa.Column("list_type_id", sa.BigInteger(), nullable=True),
        sa.Column("source", sa.String(length=80), nullable=True),
        sa.Column("skip_earlier", sa.Boolean(), nullable=False),
        sa.Column("is_tested", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=80), nullable=False),
        sa.Column("state_note", sa.String(length=500), nullable=True),
        sa.Column("scheduled_at", UtcDateTime(), nullable=True),
        sa.Column("started_at", UtcDateTime(), nullable=True),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.Column("subject", sa.String(length=200), nullable=True),
        sa.Column("sender_name", sa.String(length=100), nullable=True),
        sa.Column("sender_address", sa.String(length=320), nullable=True),
        sa.Column("reply_to", sa.String(length=320), nullable=True),
        sa.Column("audience_count", sa.BigInteger(), nullable=True),
        sa.Column("sent_count", sa.BigInteger(), nullable=True),
        sa.Column("skipped_count", sa.BigInteger(), nullable=True),
        sa.Column("failed_count", sa.BigInteger(), nullable=True),
        sa.Column("uncertain_count", sa.BigInteger(), nullable=True),
        sa.Column("read_count", sa.BigInteger(), nullable=True),
        sa.Column("clicked_count", sa.BigInteger(), nullable=True),
        sa.Column("unsubscribed_count", sa.BigInteger(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_sendouts_campaign_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["creator_id"], ["users.id"], name=op.f("fk_sendouts_creator_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["email_template_id"],
            ["email_templates.id"],
            name=op.f("fk_sendouts_email_template_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(["id"], ["entities.id"], name=op.f("fk_sendouts_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["list_type_id"], ["list_types.id"], name=op.f("fk_sendouts_list_type_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["entities.id"], name=op.f("fk_sendouts_owner_id")),
        sa.ForeignKeyConstraint(["updater_id"], ["users.id"], name=op.f("fk_sendouts_updater_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sendouts")),
    )
    op.create_index(op.f("ix_sendouts_campaign_id"), "sendouts", ["campaign_id"], unique=False)
    op.create_index(
        "ix_sendouts_created",
        "sendouts",
        ["created_at", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_sendouts_email_template_id"), "sendouts", ["email_template_id"], unique=False)
    op.create_index(op.f("ix_sendouts_list_type_id"), "sendouts", ["list_type_id"], unique=False)
    op.create_index(
        "ix_sendouts_name",
        "sendouts",
        [fold(sa.column("name")), "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_sendouts_owner_id"), "sendouts", ["owner_id"], unique=False)
    op.create_index(
        "ix_sendouts_scheduled_at",
        "sendouts",
        ["scheduled_at", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_sendouts_state",
        "sendouts",
        ["state", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_sendouts_updated",
        "sendouts",
        ["updated_at", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_sendouts_number",
        "sendouts",
        ["number"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "target_group_members",
        sa.Column("target_group_id", sa.BigInteger(), nullable=False),
        sa.Column("person_module", sa.String(length=80), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=True),
        sa.Column("added_at", UtcDateTime(), nullable=False),
        sa.Column("excluded", sa.Boolean(), nullable=False),
        sa.Column("excluded_by_id", sa.BigInteger(), nullable=True),
        sa.Column("id", BigId, nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contacts.id"], name=op.f("fk_target_group_members_contact_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["excluded_by_id"], ["users.id"], name=op.f("fk_target_group_members_excluded_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["entities.id"], name=op.f("fk_target_group_members_person_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["target_group_id"],
            ["target_groups.id"],
            name=op.f("fk_target_group_members_target_group_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_target_group_members")),
    )
    op.create_index("ix_target_group_members_added", "target_group_members", ["person_id", "added_at"], unique=False)
    op.create_index(op.f("ix_target_group_members_contact_id"), "target_group_members", ["contact_id"], unique=False)
    op.create_index(op.f("ix_target_group_members_person_id"), "target_group_members", ["person_id"], unique=False)
    op.create_index(
        op.f("ix_target_group_members_target_group_id"), "target_group_members", ["target_group_id"], unique=False
    )
    op.create_index(
        "uq_target_group_members_person", "target_group_members", ["target_group_id", "person_id"], unique=True
    )
    op.create_table(
        "clicks",
        sa.Column("sendout_id", sa.BigInteger(), nullable=True),
        sa.Column("delivery_id", BigId, nullable=True),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("link_number", sa.BigInteger(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("agent_family", sa.String(length=60), nullable=True),
        sa.Column("ip", sa.String(length=45), nullable=True),
        sa.Column("is_machine", sa.Boolean(), nullable=False),
        sa.Column("why_machine", sa.String(length=80), nullable=True),
        sa.Column("id", BigId, nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["deliveries.id"], name=op.f("fk_clicks_delivery_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["person_id"], ["entities.id"], name=op.f("fk_clicks_person_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["sendout_id"], ["sendouts.id"], name=op.f("fk_clicks_sendout_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clicks")),
    )
    op.create_index(op.f("ix_clicks_delivery_id"), "clicks", ["delivery_id"], unique=False)
    op.create_index("ix_clicks_person_at", "clicks", ["person_id", "at"], unique=False)
    op.create_index(op.f("ix_clicks_person_id"), "clicks", ["person_id"], unique=False)
    op.create_index("ix_clicks_sendout_at", "clicks", ["sendout_id", "at"], unique=False)
    op.create_index(op.f("ix_clicks_sendout_id"), "clicks", ["sendout_id"], unique=False)
    op.create_table(
        "opens",
        sa.Column("sendout_id", sa.BigInteger(), nullable=True),
        sa.Column("delivery_id", BigId, nullable=True),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("agent_family", sa.String(length=60), nullable=True),
        sa.Column("ip", sa.String(length=45), nullable=True),
        sa.Column("is_machine", sa.Boolean(), nullable=False),
        sa.Column("why_machine", sa.String(length=80), nullable=True),
        sa.Column("id", BigId, nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["deliveries.id"], name=op.f("fk_opens_delivery_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["person_id"], ["entities.id"], name=op.f("fk_opens_person_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["sendout_id"], ["sendouts.id"], name=op.f("fk_opens_sendout_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opens")),
    )
    op.create_index(op.f("ix_opens_delivery_id"), "opens", ["delivery_id"], unique=False)
    op.create_index("ix_opens_person_at", "opens", ["person_id", "at"], unique=False)
    op.create_index(op.f("ix_opens_person_id"), "opens", ["person_id"], unique=False)
    op.create_index("ix_opens_sendout_at", "opens", ["sendout_id", "at"], unique=False)
    op.create_index(op.f("ix_opens_sendout_id"), "opens", ["sendout_id"], unique=False)
    op.create_table(
        "portal_target_group_members",
        sa.Column("portal_target_group_id", sa.BigInteger(), nullable=False),
        sa.Column("person_module", sa.String(length=80), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=True),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("email_key", sa.String(length=320), nullable=False),
        sa.Column("id", BigId, nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contacts.id"], name=op.f("fk_portal_target_group_members_contact_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["entities.id"], name=op.f("fk_portal_target_group_members_person_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["portal_target_group_id"],
            ["portal_target_groups.id"],
            name=op.f("fk_portal_target_group_members_portal_target_group_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_portal_target_group_members")),
    )
    op.create_index(
        op.f("ix_portal_target_group_members_contact_id"), "portal_target_group_members", ["contact_id"], unique=False
    )
    op.create_index(
        "ix_portal_target_group_members_key",
        "portal_target_group_members",
        ["portal_target_group_id", "email_key"],
        unique=False,
    )
    op.create_index(
        op.f("ix_portal_target_group_members_person_id"), "portal_target_group_members", ["person_id"], unique=False
    )
    op.create_index(
        op.f("ix_portal_target_group_members_portal_target_group_id"),
        "portal_target_group_members",
        ["portal_target_group_id"],
        unique=False,
    )
    op.create_index(
        "uq_portal_target_group_members_person",
        "portal_target_group_members",
        ["portal_target_group_id", "person_id"],
        unique=True,
    )
    op.create_table(
        "potentials",
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("contact_id", sa.BigInteger(), nullable=True),
        sa.Column("stage", sa.String(length=80), nullable=False),
        sa.Column("probability", Scaled(), nullable=True),
        sa.Column("amount", Scaled(), nullable=True),
        sa.Column("bid_type", sa.String(length=80), nullable=True),
        sa.Column("bid_periods", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=80), nullable=True),
        sa.Column("weighted_amount", Scaled(), nullable=True),
        sa.Column("closes_on", sa.Date(), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("lost_reason", sa.String(length=80), nullable=True),
        sa.Column("potential_type", sa.String(length=80), nullable=True),
        sa.Column("business_area", sa.String(length=80), nullable=True),
        sa.Column("lead_source", sa.String(length=80), nullable=True),
        sa.Column("lead_id", sa.BigInteger(), nullable=True),
        sa.Column("campaign_id", sa.BigInteger(), nullable=True),
        sa.Column("next_step", sa.String(length=250), nullable=True),
        sa.Column("competitors", sa.String(length=250), nullable=True),
        sa.Column("billing_starts_on", sa.Date(), nullable=True),
        sa.Column("billing_months", sa.BigInteger(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_potentials_account_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_potentials_campaign_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contacts.id"], name=op.f("fk_potentials_contact_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["creator_id"], ["users.id"], name=op.f("fk_potentials_creator_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["id"], ["entities.id"], name=op.f("fk_potentials_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name=op.f("fk_potentials_lead_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["owner_id"], ["entities.id"], name=op.f("fk_potentials_owner_id")),
        sa.ForeignKeyConstraint(
            ["updater_id"], ["users.id"], name=op.f("fk_potentials_updater_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_potentials")),
    )
    op.create_index(op.f("ix_potentials_account_id"), "potentials", ["account_id"], unique=False)
    op.create_index(op.f("ix_potentials_campaign_id"), "potentials", ["campaign_id"], unique=False)
    op.create_index(
        "ix_potentials_closes_on",
        "potentials",
        ["closes_on", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_potentials_contact_id"), "potentials", ["contact_id"], unique=False)
    op.create_index(
        "ix_potentials_created",
        "potentials",
        ["created_at", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_potentials_lead_id"), "potentials", ["lead_id"], unique=False)
    op.create_index(
        "ix_potentials_name",
        "potentials",
        [fold(sa.column("name")), "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_potentials_owner_id"), "potentials", ["owner_id"], unique=False)
    op.create_index(
        "ix_potentials_stage",
        "potentials",
        ["stage", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_potentials_updated",
        "potentials",
        ["updated_at", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_potentials_number",
        "potentials",
        ["number"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "sendout_contents",
        sa.Column("sendout_id", BigId, autoincrement=False, nullable=False),
        sa.Column("compiled", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=10), nullable=False),
        sa.Column("frozen_at", UtcDateTime(), nullable=False),
        sa.Column("prepared_at", UtcDateTime(), nullable=True),
        sa.Column("quota_month", sa.String(length=7), nullable=True),
        sa.Column("quota_count", sa.Integer(), nullable=False),
        sa.Column("settled_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["sendout_id"], ["sendouts.id"], name=op.f("fk_sendout_contents_sendout_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("sendout_id", name=op.f("pk_sendout_contents")),
    )
    op.create_table(
        "sendout_files",
        sa.Column("id", BigId, nullable=False),
        sa.Column("sendout_id", BigId, nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("media_type", sa.String(length=120), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["sendout_id"], ["sendouts.id"], name=op.f("fk_sendout_files_sendout_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sendout_files")),
    )
    op.create_index(op.f("ix_sendout_files_sendout_id"), "sendout_files", ["sendout_id"], unique=False)
    op.create_table(
        "tracked_links",
        sa.Column("sendout_id", BigId, autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("label", sa.String(length=255), nullable=False),
        sa.Column("part", sa.String(length=4), nullable=False),
        sa.ForeignKeyConstraint(
            ["sendout_id"], ["sendouts.id"], name=op.f("fk_tracked_links_sendout_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("sendout_id", "number", name=op.f("pk_tracked_links")),
    )
    for statement in TEXT_INDEX[dialect]:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE text_index")
    op.drop_table("tracked_links")
    op.drop_table("sendout_files")
    op.drop_table("sendout_contents")
    op.drop_table("potentials")
    op.drop_table("portal_target_group_members")
    op.drop_table("opens")
    op.drop_table("clicks")
    op.drop_table("target_group_members")
    op.drop_table("sendouts")
    op.drop_table("portal_target_groups")
    op.drop_table("leads")
    op.drop_table("campaign_members")
    op.drop_table("target_groups")
    op.drop_table("suppressions")
    op.drop_table("emails")
    op.drop_table("campaigns")
    op.drop_table("public_pictures")
    op.drop_table("imported_rows")
    op.drop_table("import_faults")
    op.drop_table("entity_files")
    op.drop_table("email_templates")
    op.drop_table("contacts")
    op.drop_table("sessions")
    op.drop_table("sender_addresses")
    op.drop_table("products")
    op.drop_table("plans")
    op.drop_table("login_history")
    op.drop_table("list_views")
    op.drop_table("list_view_choices")
    op.drop_table("list_types")
    op.drop_table("landing_pages")
    op.drop_table("imports")
    op.drop_table("html_snippets")
    op.drop_table("group_members")
    op.drop_table("files")
    op.drop_table("change_log")
    op.drop_table("api_keys")
    op.drop_table("activities")
    op.drop_table("accounts")
    op.drop_table("users")
    op.drop_table("role_profiles")
    op.drop_table("picklist_values")
    op.drop_table("mail_runs")
    op.drop_table("jobs")
    op.drop_table("groups")
    op.drop_table("entity_links")
    op.drop_table("deliveries")
    op.drop_table("tokens")
    op.drop_table("timetable")
    op.drop_table("stored_answers")
    op.drop_table("site_settings")
    op.drop_table("sharing_rules")
    op.drop_table("sharing_defaults")
    op.drop_table("roles")
    op.drop_table("rejected_values")
    op.drop_table("profiles")
    op.drop_table("picklists")
    op.drop_table("picklist_version")
    op.drop_table("overlay_version")
    op.drop_table("numbering")
    op.drop_table("mail_workers")
    op.drop_table("mail_portions")
    op.drop_table("mail_months")
    op.drop_table("login_failures")
    op.drop_table("leaders")
    op.drop_table("keys")
    op.drop_table("identity_stamp")
    op.drop_table("entities")
    op.drop_table("custom_fields")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION fold(text)")
