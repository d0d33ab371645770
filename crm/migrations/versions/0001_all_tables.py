"""All tables."""

import sqlalchemy as sa
from alembic import op

from crm.db import BigId, Json, KeySet, Scaled, UtcDateTime, fold
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


FOLD = 'CREATE OR REPLACE FUNCTION fold(text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT CASE WHEN octet_length($1) = length($1) THEN lower($1 COLLATE "C") COLLATE "C" ELSE lower(normalize($1, NFKC) COLLATE "und-x-icu") COLLATE "C" END $$'
STATISTICS = (
    'CREATE STATISTICS st_profiles_name ON (fold("name") COLLATE "C") FROM "profiles"',
    'CREATE STATISTICS st_roles_name ON (fold("name") COLLATE "C") FROM "roles"',
    'CREATE STATISTICS st_groups_name ON (fold("name") COLLATE "C") FROM "groups"',
    'CREATE STATISTICS st_users_email ON (fold("email") COLLATE "C") FROM "users"',
    'CREATE STATISTICS st_users_last_name ON (fold("last_name") COLLATE "C") FROM "users"',
    'CREATE STATISTICS st_accounts_billing_city ON (fold("billing_city") COLLATE "C") FROM "accounts"',
    'CREATE STATISTICS st_accounts_business_id ON (fold("business_id") COLLATE "C") FROM "accounts"',
    'CREATE STATISTICS st_accounts_email ON (fold("email") COLLATE "C") FROM "accounts"',
    'CREATE STATISTICS st_accounts_name ON (fold("name") COLLATE "C") FROM "accounts"',
    'CREATE STATISTICS st_activities_subject ON (fold("subject") COLLATE "C") FROM "activities"',
    'CREATE STATISTICS st_html_snippets_name ON (fold("name") COLLATE "C") FROM "html_snippets"',
    'CREATE STATISTICS st_landing_pages_name ON (fold("name") COLLATE "C") FROM "landing_pages"',
    'CREATE STATISTICS st_landing_pages_slug ON (fold("slug") COLLATE "C") FROM "landing_pages"',
    'CREATE STATISTICS st_list_types_name ON (fold("name") COLLATE "C") FROM "list_types"',
    'CREATE STATISTICS st_list_types_slug ON (fold("slug") COLLATE "C") FROM "list_types"',
    'CREATE STATISTICS st_plans_key ON (fold("key") COLLATE "C") FROM "plans"',
    'CREATE STATISTICS st_plans_name ON (fold("name") COLLATE "C") FROM "plans"',
    'CREATE STATISTICS st_products_code ON (fold("code") COLLATE "C") FROM "products"',
    'CREATE STATISTICS st_products_name ON (fold("name") COLLATE "C") FROM "products"',
    'CREATE STATISTICS st_sender_addresses_address ON (fold("address") COLLATE "C") FROM "sender_addresses"',
    'CREATE STATISTICS st_sr_absences_name ON (fold("name") COLLATE "C") FROM "sr_absences"',
    'CREATE STATISTICS st_sr_categories_name ON (fold("name") COLLATE "C") FROM "sr_categories"',
    'CREATE STATISTICS st_sr_statuses_name ON (fold("name") COLLATE "C") FROM "sr_statuses"',
    'CREATE STATISTICS st_survey_themes_name ON (fold("name") COLLATE "C") FROM "survey_themes"',
    'CREATE STATISTICS st_tracked_sites_domain ON (fold("domain") COLLATE "C") FROM "tracked_sites"',
    'CREATE STATISTICS st_tracked_sites_key ON (fold("key") COLLATE "C") FROM "tracked_sites"',
    'CREATE STATISTICS st_tracked_sites_name ON (fold("name") COLLATE "C") FROM "tracked_sites"',
    'CREATE STATISTICS st_contacts_email ON (fold("email") COLLATE "C") FROM "contacts"',
    'CREATE STATISTICS st_contacts_email_key ON (fold("email_key") COLLATE "C") FROM "contacts"',
    'CREATE STATISTICS st_contacts_first_name ON (fold("first_name") COLLATE "C") FROM "contacts"',
    'CREATE STATISTICS st_contacts_last_name ON (fold("last_name") COLLATE "C") FROM "contacts"',
    'CREATE STATISTICS st_contacts_mailing_city ON (fold("mailing_city") COLLATE "C") FROM "contacts"',
    'CREATE STATISTICS st_contacts_secondary_email ON (fold("secondary_email") COLLATE "C") FROM "contacts"',
    'CREATE STATISTICS st_document_templates_name ON (fold("name") COLLATE "C") FROM "document_templates"',
    'CREATE STATISTICS st_email_templates_name ON (fold("name") COLLATE "C") FROM "email_templates"',
    'CREATE STATISTICS st_sr_types_code ON (fold("code") COLLATE "C") FROM "sr_types"',
    'CREATE STATISTICS st_sr_types_name ON (fold("name") COLLATE "C") FROM "sr_types"',
    'CREATE STATISTICS st_tracked_pages_label ON (fold("label") COLLATE "C") FROM "tracked_pages"',
    'CREATE STATISTICS st_attendees_code ON (fold("code") COLLATE "C") FROM "attendees"',
    'CREATE STATISTICS st_attendees_name ON (fold("name") COLLATE "C") FROM "attendees"',
    'CREATE STATISTICS st_campaigns_name ON (fold("name") COLLATE "C") FROM "campaigns"',
    'CREATE STATISTICS st_emails_message_id ON (fold("message_id") COLLATE "C") FROM "emails"',
    'CREATE STATISTICS st_emails_subject ON (fold("subject") COLLATE "C") FROM "emails"',
    'CREATE STATISTICS st_portals_code ON (fold("code") COLLATE "C") FROM "portals"',
    'CREATE STATISTICS st_portals_name ON (fold("name") COLLATE "C") FROM "portals"',
    'CREATE STATISTICS st_sr_areas_name ON (fold("name") COLLATE "C") FROM "sr_areas"',
    'CREATE STATISTICS st_sr_rules_name ON (fold("name") COLLATE "C") FROM "sr_rules"',
    'CREATE STATISTICS st_suppressions_email ON (fold("email") COLLATE "C") FROM "suppressions"',
    'CREATE STATISTICS st_target_groups_name ON (fold("name") COLLATE "C") FROM "target_groups"',
    'CREATE STATISTICS st_tickets_title ON (fold("title") COLLATE "C") FROM "tickets"',
    'CREATE STATISTICS st_faqs_question ON (fold("question") COLLATE "C") FROM "faqs"',
    'CREATE STATISTICS st_leads_city ON (fold("city") COLLATE "C") FROM "leads"',
    'CREATE STATISTICS st_leads_company ON (fold("company") COLLATE "C") FROM "leads"',
    'CREATE STATISTICS st_leads_email ON (fold("email") COLLATE "C") FROM "leads"',
    'CREATE STATISTICS st_leads_email_key ON (fold("email_key") COLLATE "C") FROM "leads"',
    'CREATE STATISTICS st_leads_last_name ON (fold("last_name") COLLATE "C") FROM "leads"',
    'CREATE STATISTICS st_portal_profiles_name ON (fold("name") COLLATE "C") FROM "portal_profiles"',
    'CREATE STATISTICS st_portal_profiles_name_key ON (fold("name_key") COLLATE "C") FROM "portal_profiles"',
    'CREATE STATISTICS st_portal_requests_email ON (fold("email") COLLATE "C") FROM "portal_requests"',
    'CREATE STATISTICS st_portal_target_groups_name ON (fold("name") COLLATE "C") FROM "portal_target_groups"',
    'CREATE STATISTICS st_sendouts_name ON (fold("name") COLLATE "C") FROM "sendouts"',
    'CREATE STATISTICS st_service_requests_title ON (fold("title") COLLATE "C") FROM "service_requests"',
    'CREATE STATISTICS st_surveys_name ON (fold("name") COLLATE "C") FROM "surveys"',
    'CREATE STATISTICS st_website_forms_key ON (fold("key") COLLATE "C") FROM "website_forms"',
    'CREATE STATISTICS st_website_forms_name ON (fold("name") COLLATE "C") FROM "website_forms"',
    'CREATE STATISTICS st_autoresponders_name ON (fold("name") COLLATE "C") FROM "autoresponders"',
    'CREATE STATISTICS st_invitation_events_name ON (fold("name") COLLATE "C") FROM "invitation_events"',
    'CREATE STATISTICS st_invitation_events_slug ON (fold("slug") COLLATE "C") FROM "invitation_events"',
    'CREATE STATISTICS st_mass_events_name ON (fold("name") COLLATE "C") FROM "mass_events"',
    'CREATE STATISTICS st_mass_events_slug ON (fold("slug") COLLATE "C") FROM "mass_events"',
    'CREATE STATISTICS st_portal_users_email ON (fold("email") COLLATE "C") FROM "portal_users"',
    'CREATE STATISTICS st_portal_users_login_key ON (fold("login_key") COLLATE "C") FROM "portal_users"',
    'CREATE STATISTICS st_portal_users_place_key ON (fold("place_key") COLLATE "C") FROM "portal_users"',
    'CREATE STATISTICS st_potentials_name ON (fold("name") COLLATE "C") FROM "potentials"',
    'CREATE STATISTICS st_score_rules_name ON (fold("name") COLLATE "C") FROM "score_rules"',
    'CREATE STATISTICS st_cases_title ON (fold("title") COLLATE "C") FROM "cases"',
    'CREATE STATISTICS st_event_triggers_name ON (fold("name") COLLATE "C") FROM "event_triggers"',
)
TEXT_INDEX = {
    "sqlite": (
        "CREATE VIRTUAL TABLE IF NOT EXISTS text_index USING fts5(words, tokenize='unicode61 remove_diacritics 0', prefix='5 6', columnsize=0, detail=none)",
    ),
    "postgresql": (
        "CREATE TABLE IF NOT EXISTS text_index (entity_id bigint PRIMARY KEY, words tsvector NOT NULL)",
        "CREATE INDEX IF NOT EXISTS ix_text_index_words ON text_index USING gin (words)",
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
        "dmarc_reports",
        sa.Column("id", BigId, nullable=False),
        sa.Column("domain", sa.String(length=255), nullable=False),
        sa.Column("reporter", sa.String(length=120), nullable=False),
        sa.Column("report_id", sa.String(length=200), nullable=False),
        sa.Column("begins_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.Column("policy", sa.String(length=12), nullable=False),
        sa.Column("mail_count", sa.Integer(), nullable=False),
        sa.Column("passed_count", sa.Integer(), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dmarc_reports")),
        sa.UniqueConstraint("domain", "reporter", "report_id", name=op.f("uq_dmarc_reports_domain_reporter_report_id")),
    )
    op.create_index(
        op.f("ix_dmarc_reports_domain_dmarc_reports_begins_at"), "dmarc_reports", ["domain", "begins_at"], unique=False
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
        "form_posts",
        sa.Column("id", BigId, nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("form", sa.String(length=60), nullable=False),
        sa.Column("result", Json, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_form_posts")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_form_posts_token_hash")),
    )
    op.create_index(op.f("ix_form_posts_at"), "form_posts", ["at"], unique=False)
    op.create_table(
        "hit_marks",
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("last_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_hit_marks")),
    )
    op.create_table(
        "hits",
        sa.Column("id", BigId, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=False),
        sa.Column("visitor", sa.String(length=22), nullable=True),
        sa.Column("nonce", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hits")),
    )
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
        "label_texts",
        sa.Column("place", sa.String(length=200), nullable=False),
        sa.Column("language", sa.String(length=10), nullable=False),
        sa.Column("text", sa.String(length=120), nullable=False),
        sa.PrimaryKeyConstraint("place", "language", name=op.f("pk_label_texts")),
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
        "mail_families",
        sa.Column("domain", sa.String(length=253), nullable=False),
        sa.Column("family", sa.String(length=253), nullable=False),
        sa.Column("looked_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("domain", name=op.f("pk_mail_families")),
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
        "mail_servers",
        sa.Column("id", BigId, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("security", sa.String(length=10), nullable=False),
        sa.Column("username", sa.String(length=255), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("per_hour", sa.Integer(), nullable=True),
        sa.Column("from_domains", sa.String(length=1000), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.Column("tested_at", UtcDateTime(), nullable=True),
        sa.Column("test_result", sa.String(length=500), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_servers")),
        sa.UniqueConstraint("name", name=op.f("uq_mail_servers_name")),
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
        "provider_paces",
        sa.Column("provider", sa.String(length=255), nullable=False),
        sa.Column("rate", sa.Double(), nullable=True),
        sa.Column("share", sa.Double(), nullable=False),
        sa.Column("pause", sa.Double(), nullable=False),
        sa.Column("paused_until", sa.Double(), nullable=False),
        sa.Column("deferred_count", sa.Integer(), nullable=False),
        sa.Column("reply", sa.Text(), nullable=True),
        sa.Column("deferred_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("provider", name=op.f("pk_provider_paces")),
    )
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
        "return_mailboxes",
        sa.Column("folder", sa.String(length=255), nullable=False),
        sa.Column("return_path", sa.String(length=320), nullable=True),
        sa.Column("for_all", sa.Boolean(), nullable=False),
        sa.Column("id", BigId, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("encryption", sa.String(length=10), nullable=False),
        sa.Column("validates_certificate", sa.Boolean(), nullable=False),
        sa.Column("authorities", sa.Text(), nullable=True),
        sa.Column("username", sa.String(length=255), nullable=False),
        sa.Column("auth", sa.String(length=10), nullable=False),
        sa.Column("token_address", sa.String(length=500), nullable=True),
        sa.Column("client_id", sa.String(length=255), nullable=True),
        sa.Column("scope", sa.String(length=500), nullable=True),
        sa.Column("move_to", sa.String(length=255), nullable=True),
        sa.Column("busy_until", sa.Double(), nullable=True),
        sa.Column("last_run_at", UtcDateTime(), nullable=True),
        sa.Column("next_run_at", UtcDateTime(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_return_mailboxes")),
        sa.UniqueConstraint("name", name=op.f("uq_return_mailboxes_name")),
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
        "score_model",
        sa.Column("id", BigId, nullable=False),
        sa.Column("half_life_days", sa.Integer(), nullable=True),
        sa.Column("warm_at", sa.Integer(), nullable=False),
        sa.Column("hot_at", sa.Integer(), nullable=False),
        sa.Column("touch_months", sa.Integer(), nullable=False),
        sa.Column("seen", Json, nullable=False),
        sa.Column("counted_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_score_model")),
    )
    op.create_table(
        "sender_domains",
        sa.Column("domain", sa.String(length=253), nullable=False),
        sa.Column("selectors", Json, nullable=False),
        sa.Column("level", sa.String(length=10), nullable=True),
        sa.Column("result", Json, nullable=False),
        sa.Column("checked_at", UtcDateTime(), nullable=True),
        sa.Column("good_at", UtcDateTime(), nullable=True),
        sa.Column("lost_at", UtcDateTime(), nullable=True),
        sa.Column("share_token", sa.String(length=43), nullable=True),
        sa.PrimaryKeyConstraint("domain", name=op.f("pk_sender_domains")),
        sa.UniqueConstraint("share_token", name=op.f("uq_sender_domains_share_token")),
    )
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
        "sr_settings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("said", Json, nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sr_settings")),
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
        "ticket_settings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("said", Json, nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_settings")),
    )
    op.create_table(
        "timetable",
        sa.Column("task", sa.String(length=80), nullable=False),
        sa.Column("occurrence", UtcDateTime(), nullable=False),
        sa.Column("job_id", BigId, nullable=True),
        sa.PrimaryKeyConstraint("task", name=op.f("pk_timetable")),
    )
    op.create_table(
        "tls_reports",
        sa.Column("id", BigId, nullable=False),
        sa.Column("domain", sa.String(length=255), nullable=False),
        sa.Column("reporter", sa.String(length=120), nullable=False),
        sa.Column("report_id", sa.String(length=200), nullable=False),
        sa.Column("begins_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.Column("good_count", sa.Integer(), nullable=False),
        sa.Column("failed_count", sa.Integer(), nullable=False),
        sa.Column("failures", Json, nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tls_reports")),
        sa.UniqueConstraint("domain", "reporter", "report_id", name=op.f("uq_tls_reports_domain_reporter_report_id")),
    )
    op.create_index(
        op.f("ix_tls_reports_domain_tls_reports_begins_at"), "tls_reports", ["domain", "begins_at"], unique=False
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
        "troubles",
        sa.Column("subject", sa.String(length=20), nullable=False),
        sa.Column("seen_by", sa.String(length=120), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("seen_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("subject", "seen_by", name=op.f("pk_troubles")),
    )
    op.create_table(
        "warm_up_days",
        sa.Column("domain", sa.String(length=253), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("ceiling", sa.Integer(), nullable=False),
        sa.Column("sent", sa.Integer(), nullable=False),
        sa.Column("bounced", sa.Integer(), nullable=False),
        sa.Column("complained", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.String(length=8), nullable=False),
        sa.PrimaryKeyConstraint("domain", "day", name=op.f("pk_warm_up_days")),
    )
    op.create_table(
        "warm_ups",
        sa.Column("domain", sa.String(length=253), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("goal", sa.Integer(), nullable=False),
        sa.Column("begun_at", UtcDateTime(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("ceiling", sa.Integer(), nullable=False),
        sa.Column("released", sa.Integer(), nullable=False),
        sa.Column("braked_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("domain", name=op.f("pk_warm_ups")),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", BigId, nullable=False),
        sa.Column("kind", sa.String(length=40), server_default="sendout", nullable=False),
        sa.Column("sendout_id", BigId, nullable=True),
        sa.Column("dedupe_key", sa.String(length=200), nullable=True),
        sa.Column("person_module", sa.String(length=40), nullable=True),
        sa.Column("person_id", BigId, nullable=True),
        sa.Column("contact_id", BigId, nullable=True),
        sa.Column("subject", sa.String(length=255), nullable=True),
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
        op.f("ix_deliveries_sendout_id_deliveries_state_deliveries_due_at"),
        "deliveries",
        ["sendout_id", "state", "due_at"],
        unique=False,
    )
    op.create_index(
        "uq_deliveries_sendout_id_email_key",
        "deliveries",
        ["sendout_id", "email_key"],
        unique=True,
        sqlite_where=sa.text("skip_reason IS NULL"),
        postgresql_where=sa.text("skip_reason IS NULL"),
    )
    op.create_index("uq_deliveries_sendout_id_person_id", "deliveries", ["sendout_id", "person_id"], unique=True)
    op.create_table(
        "dmarc_rows",
        sa.Column("id", BigId, nullable=False),
        sa.Column("dmarc_report_id", BigId, nullable=False),
        sa.Column("source_ip", sa.String(length=45), nullable=False),
        sa.Column("mail_count", sa.Integer(), nullable=False),
        sa.Column("disposition", sa.String(length=12), nullable=False),
        sa.Column("has_dkim", sa.Boolean(), nullable=False),
        sa.Column("has_spf", sa.Boolean(), nullable=False),
        sa.Column("header_from", sa.String(length=255), nullable=False),
        sa.Column("signed_by", sa.String(length=255), nullable=False),
        sa.Column("spf_domain", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(
            ["dmarc_report_id"], ["dmarc_reports.id"], name=op.f("fk_dmarc_rows_dmarc_report_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dmarc_rows")),
    )
    op.create_index(op.f("ix_dmarc_rows_dmarc_report_id"), "dmarc_rows", ["dmarc_report_id"], unique=False)
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
        "intakes",
        sa.Column("id", BigId, nullable=False),
        sa.Column("caller", sa.String(length=40), nullable=False),
        sa.Column("submission", sa.String(length=80), nullable=False),
        sa.Column("module", sa.String(length=40), nullable=False),
        sa.Column("record_id", BigId, nullable=True),
        sa.Column("is_new", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["record_id"], ["entities.id"], name=op.f("fk_intakes_record_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_intakes")),
        sa.UniqueConstraint("caller", "submission", name=op.f("uq_intakes_caller_submission")),
    )
    op.create_index(op.f("ix_intakes_created_at"), "intakes", ["created_at"], unique=False)
    op.create_index(op.f("ix_intakes_record_id"), "intakes", ["record_id"], unique=False)
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
        "mail_scanners",
        sa.Column("folders", Json, nullable=False),
        sa.Column("known_folders", Json, nullable=False),
        sa.Column("scans", sa.String(length=20), nullable=False),
        sa.Column("reply_from", sa.String(length=320), nullable=True),
        sa.Column("has_plus", sa.Boolean(), nullable=False),
        sa.Column("makes_contacts", sa.Boolean(), nullable=False),
        sa.Column("default_language", sa.String(length=10), nullable=True),
        sa.Column("owner_id", BigId, nullable=True),
        sa.Column("seen", Json, nullable=False),
        sa.Column("rules_changed_at", UtcDateTime(), nullable=True),
        sa.Column("id", BigId, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("encryption", sa.String(length=10), nullable=False),
        sa.Column("validates_certificate", sa.Boolean(), nullable=False),
        sa.Column("authorities", sa.Text(), nullable=True),
        sa.Column("username", sa.String(length=255), nullable=False),
        sa.Column("auth", sa.String(length=10), nullable=False),
        sa.Column("token_address", sa.String(length=500), nullable=True),
        sa.Column("client_id", sa.String(length=255), nullable=True),
        sa.Column("scope", sa.String(length=500), nullable=True),
        sa.Column("move_to", sa.String(length=255), nullable=True),
        sa.Column("busy_until", sa.Double(), nullable=True),
        sa.Column("last_run_at", UtcDateTime(), nullable=True),
        sa.Column("next_run_at", UtcDateTime(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["entities.id"], name=op.f("fk_mail_scanners_owner_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_scanners")),
        sa.UniqueConstraint("name", name=op.f("uq_mail_scanners_name")),
    )
    op.create_table(
        "merged_records",
        sa.Column("entity_id", BigId, nullable=False),
        sa.Column("into_id", BigId, nullable=False),
        sa.Column("module", sa.String(length=40), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entity_id"], ["entities.id"], name=op.f("fk_merged_records_entity_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["into_id"], ["entities.id"], name=op.f("fk_merged_records_into_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("entity_id", name=op.f("pk_merged_records")),
    )
    op.create_index(op.f("ix_merged_records_into_id"), "merged_records", ["into_id"], unique=False)
    op.create_table(
        "opt_ins",
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("email_key", sa.String(length=320), nullable=False),
        sa.Column("first_name", sa.String(length=60), nullable=True),
        sa.Column("last_name", sa.String(length=80), nullable=True),
        sa.Column("language", sa.String(length=80), nullable=True),
        sa.Column("list_type_ids", Json, nullable=False),
        sa.Column("offered_ids", Json, nullable=False),
        sa.Column("wording", sa.Text(), nullable=False),
        sa.Column("source", sa.String(length=100), nullable=False),
        sa.Column("ip", sa.String(length=45), nullable=True),
        sa.Column("agent_family", sa.String(length=60), nullable=True),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("mail_count", sa.BigInteger(), nullable=False),
        sa.Column("mailed_at", UtcDateTime(), nullable=True),
        sa.Column("confirmed_at", UtcDateTime(), nullable=True),
        sa.Column("confirmed_ip", sa.String(length=45), nullable=True),
        sa.Column("id", BigId, nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["entities.id"], name=op.f("fk_opt_ins_person_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opt_ins")),
    )
    op.create_index("ix_opt_ins_email_asked", "opt_ins", ["email_key", "asked_at"], unique=False)
    op.create_index("ix_opt_ins_person_asked", "opt_ins", ["person_id", "asked_at"], unique=False)
    op.create_index(op.f("ix_opt_ins_person_id"), "opt_ins", ["person_id"], unique=False)
    op.create_table(
        "person_codes",
        sa.Column("id", BigId, nullable=False),
        sa.Column("person_id", BigId, nullable=False),
        sa.Column("act", sa.String(length=20), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["entities.id"], name=op.f("fk_person_codes_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_codes")),
    )
    op.create_index(op.f("ix_person_codes_person_id"), "person_codes", ["person_id"], unique=False)
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
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
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
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
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
        [fold(sa.column("billing_city")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["billing_city"],
    )
    op.create_index(
        "ix_accounts_business_id",
        "accounts",
        [fold(sa.column("business_id")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["business_id"],
    )
    op.create_index(
        "ix_accounts_created",
        "accounts",
        ["created_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_accounts_email",
        "accounts",
        [fold(sa.column("email")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["email"],
    )
    op.create_index(
        "ix_accounts_name",
        "accounts",
        [fold(sa.column("name")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["name"],
    )
    op.create_index(op.f("ix_accounts_owner_id"), "accounts", ["owner_id"], unique=False)
    op.create_index(op.f("ix_accounts_parent_id"), "accounts", ["parent_id"], unique=False)
    op.create_index(
        "ix_accounts_updated",
        "accounts",
        ["updated_at", "id", "owner_id"],
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
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
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
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
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
        ["at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_activities_created",
        "activities",
        ["created_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_activities_due_on",
        "activities",
        ["due_on", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_activities_owner_id"), "activities", ["owner_id"], unique=False)
    op.create_index(
        "ix_activities_starts_at",
        "activities",
        ["starts_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_activities_status",
        "activities",
        ["status", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_activities_subject",
        "activities",
        [fold(sa.column("subject")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["subject"],
    )
    op.create_index(
        "ix_activities_updated",
        "activities",
        ["updated_at", "id", "owner_id"],
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
        sa.Column("contact_id", BigId, nullable=True),
        sa.Column("channel", sa.String(length=12), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["users.id"], name=op.f("fk_change_log_actor_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["entities.id"], name=op.f("fk_change_log_contact_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["entity_id"], ["entities.id"], name=op.f("fk_change_log_entity_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change_log")),
    )
    op.create_index("ix_change_log_entity", "change_log", ["entity_id", "id"], unique=False)
    op.create_table(
        "delivery_versions",
        sa.Column("delivery_id", BigId, autoincrement=False, nullable=False),
        sa.Column("language", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["deliveries.id"], name=op.f("fk_delivery_versions_delivery_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("pk_delivery_versions")),
    )
    op.create_table(
        "editing_marks",
        sa.Column("record_id", BigId, nullable=False),
        sa.Column("user_id", BigId, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["record_id"], ["entities.id"], name=op.f("fk_editing_marks_record_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_editing_marks_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("record_id", "user_id", name=op.f("pk_editing_marks")),
    )
    op.create_index(op.f("ix_editing_marks_at"), "editing_marks", ["at"], unique=False)
    op.create_index(op.f("ix_editing_marks_user_id"), "editing_marks", ["user_id"], unique=False)
    op.create_table(
        "erasures",
        sa.Column("id", BigId, nullable=False),
        sa.Column("module", sa.String(length=40), nullable=False),
        sa.Column("entity_id", BigId, nullable=False),
        sa.Column("hashes", Json, nullable=False),
        sa.Column("counts", Json, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("actor_id", BigId, nullable=True),
        sa.ForeignKeyConstraint(["actor_id"], ["users.id"], name=op.f("fk_erasures_actor_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasures")),
        sa.UniqueConstraint("entity_id", name=op.f("uq_erasures_entity_id")),
    )
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
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.String(length=150), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("status", sa.String(length=80), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
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
        ["created_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_html_snippets_name",
        "html_snippets",
        [fold(sa.column("name")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["name"],
    )
    op.create_index(op.f("ix_html_snippets_owner_id"), "html_snippets", ["owner_id"], unique=False)
    op.create_index(
        "ix_html_snippets_updated",
        "html_snippets",
        ["updated_at", "id", "owner_id"],
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
        sa.Column("checked", Json, nullable=True),
        sa.Column("job_id", BigId, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_imports_user_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imports")),
    )
    op.create_table(
        "landing_pages",
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.String(length=150), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=True),
        sa.Column("title", sa.String(length=200), nullable=True),
        sa.Column("language", sa.String(length=80), nullable=True),
        sa.Column("status", sa.String(length=80), nullable=False),
        sa.Column("valid_until_on", sa.Date(), nullable=True),
        sa.Column("html", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
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
        ["created_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_landing_pages_name",
        "landing_pages",
        [fold(sa.column("name")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["name"],
    )
    op.create_index(op.f("ix_landing_pages_owner_id"), "landing_pages", ["owner_id"], unique=False)
    op.create_index(
        "ix_landing_pages_updated",
        "landing_pages",
        ["updated_at", "id", "owner_id"],
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
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=True),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("text_subscribed", sa.Text(), nullable=True),
        sa.Column("text_unsubscribed", sa.Text(), nullable=True),
        sa.Column("page_html", sa.Text(), nullable=True),
        sa.Column("language", sa.String(length=80), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
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
        ["created_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_list_types_name",
        "list_types",
        [fold(sa.column("name")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["name"],
    )
    op.create_index(op.f("ix_list_types_owner_id"), "list_types", ["owner_id"], unique=False)
    op.create_index(
        "ix_list_types_updated",
        "list_types",
        ["updated_at", "id", "owner_id"],
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
        sa.Column("portal_user_id", BigId, nullable=True),
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
    op.create_index(op.f("ix_login_history_portal_user_id"), "login_history", ["portal_user_id"], unique=False)
    op.create_index(op.f("ix_login_history_session_id"), "login_history", ["session_id"], unique=False)
    op.create_index(op.f("ix_login_history_user_id_login_history_at"), "login_history", ["user_id", "at"], unique=False)
    op.create_table(
        "plans",
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("list_type_limit", sa.BigInteger(), nullable=True),
        sa.Column("monthly_mail_limit", sa.BigInteger(), nullable=True),
        sa.Column("current", sa.Boolean(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
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
        ["created_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_plans_name",
        "plans",
        [fold(sa.column("name")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["name"],
    )
    op.create_index(op.f("ix_plans_owner_id"), "plans", ["owner_id"], unique=False)
    op.create_index(
        "ix_plans_updated",
        "plans",
        ["updated_at", "id", "owner_id"],
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
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
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
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
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
        ["created_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_products_name",
        "products",
        [fold(sa.column("name")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["name"],
    )
    op.create_index(op.f("ix_products_owner_id"), "products", ["owner_id"], unique=False)
    op.create_index(
        "ix_products_updated",
        "products",
        ["updated_at", "id", "owner_id"],
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
        "returned_mails",
        sa.Column("id", BigId, nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("mailbox_id", BigId, nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("verdict", sa.String(length=12), nullable=True),
        sa.Column("reason", sa.String(length=30), nullable=True),
        sa.Column("status", sa.String(length=12), nullable=True),
        sa.Column("domain", sa.String(length=255), nullable=True),
        sa.Column("delivery_id", BigId, nullable=True),
        sa.Column("note", sa.String(length=300), nullable=True),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["deliveries.id"], name=op.f("fk_returned_mails_delivery_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["mailbox_id"], ["return_mailboxes.id"], name=op.f("fk_returned_mails_mailbox_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_returned_mails")),
        sa.UniqueConstraint("key", name=op.f("uq_returned_mails_key")),
    )
    op.create_index(op.f("ix_returned_mails_at"), "returned_mails", ["at"], unique=False)
    op.create_index(op.f("ix_returned_mails_delivery_id"), "returned_mails", ["delivery_id"], unique=False)
    op.create_table(
        "sender_addresses",
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
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
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
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
        [fold(sa.column("address")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["address"],
    )
    op.create_index(
        "ix_sender_addresses_created",
        "sender_addresses",
        ["created_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_sender_addresses_owner_id"), "sender_addresses", ["owner_id"], unique=False)
    op.create_index(
        "ix_sender_addresses_updated",
        "sender_addresses",
        ["updated_at", "id", "owner_id"],
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
        "sr_absences",
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=True),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False),
        sa.Column("gives_back", sa.Boolean(), nullable=False),
        sa.Column("given_at", UtcDateTime(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["creator_id"], ["users.id"], name=op.f("fk_sr_absences_creator_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["id"], ["entities.id"], name=op.f("fk_sr_absences_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["entities.id"], name=op.f("fk_sr_absences_owner_id")),
        sa.ForeignKeyConstraint(
            ["updater_id"], ["users.id"], name=op.f("fk_sr_absences_updater_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sr_absences_user_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sr_absences")),
    )
    op.create_index(
        "ix_sr_absences_created",
        "sr_absences",
        ["created_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_sr_absences_name",
        "sr_absences",
        [fold(sa.column("name")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["name"],
    )
    op.create_index(op.f("ix_sr_absences_owner_id"), "sr_absences", ["owner_id"], unique=False)
    op.create_index(
        "ix_sr_absences_updated",
        "sr_absences",
        ["updated_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "sr_categories",
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("tree", sa.String(length=80), nullable=False),
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        sa.Column("path", sa.String(length=500), nullable=True),
        sa.Column("classification", sa.String(length=80), nullable=True),
        sa.Column("requires_acceptance", sa.Boolean(), nullable=False),
        sa.Column("selectable", sa.Boolean(), nullable=False),
        sa.Column("hidden", sa.Boolean(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["creator_id"], ["users.id"], name=op.f("fk_sr_categories_creator_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["id"], ["entities.id"], name=op.f("fk_sr_categories_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["entities.id"], name=op.f("fk_sr_categories_owner_id")),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["sr_categories.id"], name=op.f("fk_sr_categories_parent_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["updater_id"], ["users.id"], name=op.f("fk_sr_categories_updater_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sr_categories")),
    )
    op.create_index(
        "ix_sr_categories_created",
        "sr_categories",
        ["created_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_sr_categories_name",
        "sr_categories",
        [fold(sa.column("name")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["name"],
    )
    op.create_index(op.f("ix_sr_categories_owner_id"), "sr_categories", ["owner_id"], unique=False)
    op.create_index(op.f("ix_sr_categories_parent_id"), "sr_categories", ["parent_id"], unique=False)
    op.create_index(
        "ix_sr_categories_updated",
        "sr_categories",
        ["updated_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "sr_statuses",
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=True),
        sa.Column("state", sa.String(length=80), nullable=False),
        sa.Column("pauses", sa.Boolean(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["creator_id"], ["users.id"], name=op.f("fk_sr_statuses_creator_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["id"], ["entities.id"], name=op.f("fk_sr_statuses_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["entities.id"], name=op.f("fk_sr_statuses_owner_id")),
        sa.ForeignKeyConstraint(
            ["updater_id"], ["users.id"], name=op.f("fk_sr_statuses_updater_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sr_statuses")),
    )
    op.create_index(
        "ix_sr_statuses_created",
        "sr_statuses",
        ["created_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_sr_statuses_name",
        "sr_statuses",
        [fold(sa.column("name")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["name"],
    )
    op.create_index(op.f("ix_sr_statuses_owner_id"), "sr_statuses", ["owner_id"], unique=False)
    op.create_index(
        "ix_sr_statuses_updated",
        "sr_statuses",
        ["updated_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_sr_statuses_name",
        "sr_statuses",
        [fold(sa.column("name"))],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "survey_themes",
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("accent", sa.String(length=7), nullable=True),
        sa.Column("ground", sa.String(length=7), nullable=True),
        sa.Column("paper", sa.String(length=7), nullable=True),
        sa.Column("ink", sa.String(length=7), nullable=True),
        sa.Column("font", sa.String(length=80), nullable=True),
        sa.Column("corners", sa.BigInteger(), nullable=True),
        sa.Column("width", sa.BigInteger(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("css", sa.Text(), nullable=True),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["creator_id"], ["users.id"], name=op.f("fk_survey_themes_creator_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["id"], ["entities.id"], name=op.f("fk_survey_themes_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["entities.id"], name=op.f("fk_survey_themes_owner_id")),
        sa.ForeignKeyConstraint(
            ["updater_id"], ["users.id"], name=op.f("fk_survey_themes_updater_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_survey_themes")),
    )
    op.create_index(
        "ix_survey_themes_created",
        "survey_themes",
        ["created_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_survey_themes_name",
        "survey_themes",
        [fold(sa.column("name")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["name"],
    )
    op.create_index(op.f("ix_survey_themes_owner_id"), "survey_themes", ["owner_id"], unique=False)
    op.create_index(
        "ix_survey_themes_updated",
        "survey_themes",
        ["updated_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "tracked_sites",
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("domain", sa.String(length=200), nullable=False),
        sa.Column("more_hosts", sa.Text(), nullable=True),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("consent_mode", sa.String(length=80), nullable=False),
        sa.Column("counts_all", sa.Boolean(), nullable=False),
        sa.Column("kept_months", sa.BigInteger(), nullable=False),
        sa.Column("kept_parameters", sa.String(length=300), nullable=True),
        sa.Column("excluded_networks", sa.Text(), nullable=True),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["creator_id"], ["users.id"], name=op.f("fk_tracked_sites_creator_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["id"], ["entities.id"], name=op.f("fk_tracked_sites_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["entities.id"], name=op.f("fk_tracked_sites_owner_id")),
        sa.ForeignKeyConstraint(
            ["updater_id"], ["users.id"], name=op.f("fk_tracked_sites_updater_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tracked_sites")),
    )
    op.create_index(
        "ix_tracked_sites_created",
        "tracked_sites",
        ["created_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_tracked_sites_name",
        "tracked_sites",
        [fold(sa.column("name")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["name"],
    )
    op.create_index(op.f("ix_tracked_sites_owner_id"), "tracked_sites", ["owner_id"], unique=False)
    op.create_index(
        "ix_tracked_sites_updated",
        "tracked_sites",
        ["updated_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_tracked_sites_domain",
        "tracked_sites",
        [fold(sa.column("domain"))],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_tracked_sites_key",
        "tracked_sites",
        [fold(sa.column("key"))],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "contacts",
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
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
        sa.Column("score", sa.BigInteger(), nullable=True),
        sa.Column("score_grade", sa.String(length=80), nullable=True),
        sa.Column("picture_id", sa.BigInteger(), nullable=True),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_contacts_account_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["creator_id"], ["users.id"], name=op.f("fk_contacts_creator_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["id"], ["entities.id"], name=op.f("fk_contacts_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["entities.id"], name=op.f("fk_contacts_owner_id")),
        sa.ForeignKeyConstraint(["picture_id"], ["files.id"], name=op.f("fk_contacts_picture_id"), ondelete="SET NULL"),
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
        ["created_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_contacts_email",
        "contacts",
        [fold(sa.column("email")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["email"],
    )
    op.create_index(
        "ix_contacts_email_key",
        "contacts",
        [fold(sa.column("email_key")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["email_key"],
    )
    op.create_index(
        "ix_contacts_email_opt_out",
        "contacts",
        ["email_opt_out", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_contacts_first_name",
        "contacts",
        [fold(sa.column("first_name")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["first_name"],
    )
    op.create_index(
        "ix_contacts_last_name",
        "contacts",
        [fold(sa.column("last_name")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["last_name"],
    )
    op.create_index(
        "ix_contacts_mailing_city",
        "contacts",
        [fold(sa.column("mailing_city")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["mailing_city"],
    )
    op.create_index(op.f("ix_contacts_owner_id"), "contacts", ["owner_id"], unique=False)
    op.create_index(op.f("ix_contacts_picture_id"), "contacts", ["picture_id"], unique=False)
    op.create_index(op.f("ix_contacts_reports_to_id"), "contacts", ["reports_to_id"], unique=False)
    op.create_index(
        "ix_contacts_score",
        "contacts",
        ["score", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_contacts_secondary_email",
        "contacts",
        [fold(sa.column("secondary_email")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["secondary_email"],
    )
    op.create_index(
        "ix_contacts_updated",
        "contacts",
        ["updated_at", "id", "owner_id"],
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
        "data_exports",
        sa.Column("id", BigId, nullable=False),
        sa.Column("person_id", BigId, nullable=False),
        sa.Column("module", sa.String(length=40), nullable=False),
        sa.Column("language", sa.String(length=10), nullable=True),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("done_at", UtcDateTime(), nullable=True),
        sa.Column("file_id", BigId, nullable=True),
        sa.ForeignKeyConstraint(["file_id"], ["files.id"], name=op.f("fk_data_exports_file_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["person_id"], ["entities.id"], name=op.f("fk_data_exports_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_exports")),
    )
    op.create_index(op.f("ix_data_exports_file_id"), "data_exports", ["file_id"], unique=False)
    op.create_index(op.f("ix_data_exports_person_id"), "data_exports", ["person_id"], unique=False)
    op.create_table(
        "document_templates",
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.String(length=150), nullable=False),
        sa.Column("purpose", sa.String(length=80), nullable=False),
        sa.Column("module", sa.String(length=80), nullable=False),
        sa.Column("output", sa.String(length=80), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("language", sa.String(length=80), nullable=True),
        sa.Column("file_name", sa.String(length=150), nullable=True),
        sa.Column("shown_if", sa.String(length=300), nullable=True),
        sa.Column("event_id", sa.BigInteger(), nullable=True),
        sa.Column("format", sa.String(length=80), nullable=True),
        sa.Column("file_id", sa.BigInteger(), nullable=True),
        sa.Column("layout", sa.Text(), nullable=True),
        sa.Column("fonts", sa.String(length=1000), nullable=True),
        sa.Column("file_version", sa.BigInteger(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["creator_id"], ["users.id"], name=op.f("fk_document_templates_creator_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["event_id"], ["entities.id"], name=op.f("fk_document_templates_event_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["file_id"], ["files.id"], name=op.f("fk_document_templates_file_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["id"], ["entities.id"], name=op.f("fk_document_templates_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["entities.id"], name=op.f("fk_document_templates_owner_id")),
        sa.ForeignKeyConstraint(
            ["updater_id"], ["users.id"], name=op.f("fk_document_templates_updater_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document_templates")),
    )
    op.create_index(
        "ix_document_templates_active",
        "document_templates",
        ["active", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_document_templates_created",
        "document_templates",
        ["created_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_document_templates_event_id"), "document_templates", ["event_id"], unique=False)
    op.create_index(op.f("ix_document_templates_file_id"), "document_templates", ["file_id"], unique=False)
    op.create_index(
        "ix_document_templates_name",
        "document_templates",
        [fold(sa.column("name")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["name"],
    )
    op.create_index(op.f("ix_document_templates_owner_id"), "document_templates", ["owner_id"], unique=False)
    op.create_index(
        "ix_document_templates_updated",
        "document_templates",
        ["updated_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_document_templates_number",
        "document_templates",
        ["number"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "email_templates",
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
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
        sa.Column("survey_id", sa.BigInteger(), nullable=True),
        sa.Column("sending_time", sa.String(length=80), nullable=True),
        sa.Column("sending_at", sa.Time(), nullable=True),
        sa.Column("sending_weekday", sa.String(length=80), nullable=True),
        sa.Column("sending_day", sa.BigInteger(), nullable=True),
        sa.Column("sending_on", sa.Date(), nullable=True),
        sa.Column("sending_since", UtcDateTime(), nullable=True),
        sa.Column("is_personal", sa.Boolean(), nullable=False),
        sa.Column("template_id", sa.BigInteger(), nullable=True),
        sa.Column("version_of_id", sa.BigInteger(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
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
            ["survey_id"], ["entities.id"], name=op.f("fk_email_templates_survey_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["template_id"], ["email_templates.id"], name=op.f("fk_email_templates_template_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["updater_id"], ["users.id"], name=op.f("fk_email_templates_updater_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["version_of_id"], ["email_templates.id"], name=op.f("fk_email_templates_version_of_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_email_templates")),
    )
    op.create_index(
        "ix_email_templates_created",
        "email_templates",
        ["created_at", "id", "owner_id"],
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
        [fold(sa.column("name")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["name"],
    )
    op.create_index(op.f("ix_email_templates_owner_id"), "email_templates", ["owner_id"], unique=False)
    op.create_index(
        op.f("ix_email_templates_sender_address_id"), "email_templates", ["sender_address_id"], unique=False
    )
    op.create_index(
        "ix_email_templates_status",
        "email_templates",
        ["status", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_email_templates_survey_id"), "email_templates", ["survey_id"], unique=False)
    op.create_index(op.f("ix_email_templates_template_id"), "email_templates", ["template_id"], unique=False)
    op.create_index(
        "ix_email_templates_updated",
        "email_templates",
        ["updated_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_email_templates_version_of_id"), "email_templates", ["version_of_id"], unique=False)
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
        sa.Column("shared_at", UtcDateTime(), nullable=True),
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
        "imported_runs",
        sa.Column("import_id", BigId, nullable=False),
        sa.Column("first_id", BigId, nullable=False),
        sa.Column("last_id", BigId, nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"], ["imports.id"], name=op.f("fk_imported_runs_import_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("import_id", "first_id", name=op.f("pk_imported_runs")),
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
        "site_counts",
        sa.Column("site_id", BigId, nullable=False),
        sa.Column("what", sa.String(length=20), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id"], ["tracked_sites.id"], name=op.f("fk_site_counts_site_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("site_id", "what", "day", "name", name=op.f("pk_site_counts")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "site_signs",
        sa.Column("site_id", BigId, nullable=False),
        sa.Column("heard_at", UtcDateTime(), nullable=True),
        sa.Column("tried_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["site_id"], ["tracked_sites.id"], name=op.f("fk_site_signs_site_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("site_id", name=op.f("pk_site_signs")),
    )
    op.create_table(
        "sr_types",
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=True),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("within", sa.BigInteger(), nullable=True),
        sa.Column("within_unit", sa.String(length=80), nullable=True),
        sa.Column("recalculates", sa.Boolean(), nullable=False),
        sa.Column("rules_count", sa.Boolean(), nullable=False),
        sa.Column("pending_status_id", sa.BigInteger(), nullable=True),
        sa.Column("responded_status_id", sa.BigInteger(), nullable=True),
        sa.Column("temporary_status_id", sa.BigInteger(), nullable=True),
        sa.Column("final_status_id", sa.BigInteger(), nullable=True),
        sa.Column("completed_status_id", sa.BigInteger(), nullable=True),
        sa.Column("cancelled_status_id", sa.BigInteger(), nullable=True),
        sa.Column("category_id", sa.BigInteger(), nullable=True),
        sa.Column("unit_id", sa.BigInteger(), nullable=True),
        sa.Column("response_category_id", sa.BigInteger(), nullable=True),
        sa.Column("temporary_category_id", sa.BigInteger(), nullable=True),
        sa.Column("final_category_id", sa.BigInteger(), nullable=True),
        sa.Column("activity_types", KeySet(), nullable=True),
        sa.Column("cancel_reasons", KeySet(), nullable=True),
        sa.Column("cancel_reason", sa.String(length=80), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["cancelled_status_id"],
            ["sr_statuses.id"],
            name=op.f("fk_sr_types_cancelled_status_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["category_id"], ["sr_categories.id"], name=op.f("fk_sr_types_category_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["completed_status_id"],
            ["sr_statuses.id"],
            name=op.f("fk_sr_types_completed_status_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(["creator_id"], ["users.id"], name=op.f("fk_sr_types_creator_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["final_category_id"], ["sr_categories.id"], name=op.f("fk_sr_types_final_category_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["final_status_id"], ["sr_statuses.id"], name=op.f("fk_sr_types_final_status_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["id"], ["entities.id"], name=op.f("fk_sr_types_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["entities.id"], name=op.f("fk_sr_types_owner_id")),
        sa.ForeignKeyConstraint(
            ["pending_status_id"], ["sr_statuses.id"], name=op.f("fk_sr_types_pending_status_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["responded_status_id"],
            ["sr_statuses.id"],
            name=op.f("fk_sr_types_responded_status_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["response_category_id"],
            ["sr_categories.id"],
            name=op.f("fk_sr_types_response_category_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["temporary_category_id"],
            ["sr_categories.id"],
            name=op.f("fk_sr_types_temporary_category_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["temporary_status_id"],
            ["sr_statuses.id"],
            name=op.f("fk_sr_types_temporary_status_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["groups.id"], name=op.f("fk_sr_types_unit_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["updater_id"], ["users.id"], name=op.f("fk_sr_types_updater_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sr_types")),
    )
    op.create_index(op.f("ix_sr_types_cancelled_status_id"), "sr_types", ["cancelled_status_id"], unique=False)
    op.create_index(op.f("ix_sr_types_category_id"), "sr_types", ["category_id"], unique=False)
    op.create_index(op.f("ix_sr_types_completed_status_id"), "sr_types", ["completed_status_id"], unique=False)
    op.create_index(
        "ix_sr_types_created",
        "sr_types",
        ["created_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_sr_types_final_category_id"), "sr_types", ["final_category_id"], unique=False)
    op.create_index(op.f("ix_sr_types_final_status_id"), "sr_types", ["final_status_id"], unique=False)
    op.create_index(
        "ix_sr_types_name",
        "sr_types",
        [fold(sa.column("name")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["name"],
    )
    op.create_index(op.f("ix_sr_types_owner_id"), "sr_types", ["owner_id"], unique=False)
    op.create_index(op.f("ix_sr_types_pending_status_id"), "sr_types", ["pending_status_id"], unique=False)
    op.create_index(op.f("ix_sr_types_responded_status_id"), "sr_types", ["responded_status_id"], unique=False)
    op.create_index(op.f("ix_sr_types_response_category_id"), "sr_types", ["response_category_id"], unique=False)
    op.create_index(op.f("ix_sr_types_temporary_category_id"), "sr_types", ["temporary_category_id"], unique=False)
    op.create_index(op.f("ix_sr_types_temporary_status_id"), "sr_types", ["temporary_status_id"], unique=False)
    op.create_index(op.f("ix_sr_types_unit_id"), "sr_types", ["unit_id"], unique=False)
    op.create_index(
        "ix_sr_types_updated",
        "sr_types",
        ["updated_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_sr_types_code",
        "sr_types",
        [fold(sa.column("code"))],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_sr_types_name",
        "sr_types",
        [fold(sa.column("name"))],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "tracked_pages",
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("label", sa.String(length=120), nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=False),
        sa.Column("pattern", sa.String(length=300), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["creator_id"], ["users.id"], name=op.f("fk_tracked_pages_creator_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["id"], ["entities.id"], name=op.f("fk_tracked_pages_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["entities.id"], name=op.f("fk_tracked_pages_owner_id")),
        sa.ForeignKeyConstraint(
            ["site_id"], ["tracked_sites.id"], name=op.f("fk_tracked_pages_site_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["updater_id"], ["users.id"], name=op.f("fk_tracked_pages_updater_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tracked_pages")),
    )
    op.create_index(
        "ix_tracked_pages_created",
        "tracked_pages",
        ["created_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_tracked_pages_label",
        "tracked_pages",
        [fold(sa.column("label")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["label"],
    )
    op.create_index(op.f("ix_tracked_pages_owner_id"), "tracked_pages", ["owner_id"], unique=False)
    op.create_index(op.f("ix_tracked_pages_site_id"), "tracked_pages", ["site_id"], unique=False)
    op.create_index(
        "ix_tracked_pages_updated",
        "tracked_pages",
        ["updated_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "visitors",
        sa.Column("site_id", BigId, nullable=False),
        sa.Column("cookie", sa.String(length=22), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("bound_at", UtcDateTime(), nullable=True),
        sa.Column("bound_via", sa.String(length=80), nullable=True),
        sa.Column("first_seen_at", UtcDateTime(), nullable=False),
        sa.Column("last_seen_at", UtcDateTime(), nullable=False),
        sa.Column("visit_count", sa.BigInteger(), nullable=False),
        sa.Column("id", BigId, nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["entities.id"], name=op.f("fk_visitors_person_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["site_id"], ["tracked_sites.id"], name=op.f("fk_visitors_site_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visitors")),
        sa.UniqueConstraint("site_id", "cookie", name=op.f("uq_visitors_site_id_cookie")),
    )
    op.create_index(op.f("ix_visitors_person_id"), "visitors", ["person_id"], unique=False)
    op.create_index("ix_visitors_site_seen", "visitors", ["site_id", "last_seen_at"], unique=False)
    op.create_table(
        "attendees",
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=True),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.String(length=80), nullable=False),
        sa.Column("queue_no", sa.BigInteger(), nullable=True),
        sa.Column("seat_version", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.String(length=80), nullable=True),
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("registered_at", UtcDateTime(), nullable=True),
        sa.Column("promoted_at", UtcDateTime(), nullable=True),
        sa.Column("cancelled_at", UtcDateTime(), nullable=True),
        sa.Column("cancel_reason", sa.String(length=500), nullable=True),
        sa.Column("attended_at", UtcDateTime(), nullable=True),
        sa.Column("held_until", UtcDateTime(), nullable=True),
        sa.Column("code", sa.String(length=12), nullable=True),
        sa.Column("check_identity", sa.Boolean(), nullable=False),
        sa.Column("differences", sa.Text(), nullable=True),
        sa.Column("company", sa.String(length=200), nullable=True),
        sa.Column("warning", sa.String(length=300), nullable=True),
        sa.Column("answers_response_id", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_attendees_account_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contacts.id"], name=op.f("fk_attendees_contact_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["creator_id"], ["users.id"], name=op.f("fk_attendees_creator_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["event_id"], ["entities.id"], name=op.f("fk_attendees_event_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["id"], ["entities.id"], name=op.f("fk_attendees_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["entities.id"], name=op.f("fk_attendees_owner_id")),
        sa.ForeignKeyConstraint(
            ["updater_id"], ["users.id"], name=op.f("fk_attendees_updater_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attendees")),
    )
    op.create_index(op.f("ix_attendees_account_id"), "attendees", ["account_id"], unique=False)
    op.create_index(op.f("ix_attendees_contact_id"), "attendees", ["contact_id"], unique=False)
    op.create_index(
        "ix_attendees_created",
        "attendees",
        ["created_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_attendees_event_id"), "attendees", ["event_id"], unique=False)
    op.create_index("ix_attendees_event_status", "attendees", ["event_id", "status", "queue_no"], unique=False)
    op.create_index(
        "ix_attendees_name",
        "attendees",
        [fold(sa.column("name")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["name"],
    )
    op.create_index(op.f("ix_attendees_owner_id"), "attendees", ["owner_id"], unique=False)
    op.create_index(
        "ix_attendees_registered_at",
        "attendees",
        ["registered_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_attendees_updated",
        "attendees",
        ["updated_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_attendees_code",
        "attendees",
        [fold(sa.column("code"))],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_attendees_event_contact",
        "attendees",
        ["event_id", "contact_id"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "campaigns",
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("type", sa.String(length=80), nullable=False),
        sa.Column("status", sa.String(length=80), nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("closes_on", sa.Date(), nullable=True),
        sa.Column("auto_template_id", sa.BigInteger(), nullable=True),
        sa.Column("auto_mail_on", sa.Boolean(), nullable=False),
        sa.Column("auto_mail_since", UtcDateTime(), nullable=True),
        sa.Column("auto_mail_problem", sa.String(length=300), nullable=True),
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
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
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
        ["closes_on", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_campaigns_created",
        "campaigns",
        ["created_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_campaigns_name",
        "campaigns",
        [fold(sa.column("name")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["name"],
    )
    op.create_index(op.f("ix_campaigns_owner_id"), "campaigns", ["owner_id"], unique=False)
    op.create_index(op.f("ix_campaigns_product_id"), "campaigns", ["product_id"], unique=False)
    op.create_index(
        "ix_campaigns_updated",
        "campaigns",
        ["updated_at", "id", "owner_id"],
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
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
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
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
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
        ["at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_emails_created",
        "emails",
        ["created_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_emails_email_template_id"), "emails", ["email_template_id"], unique=False)
    op.create_index(
        "ix_emails_message_id",
        "emails",
        [fold(sa.column("message_id")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["message_id"],
    )
    op.create_index(op.f("ix_emails_owner_id"), "emails", ["owner_id"], unique=False)
    op.create_index(
        "ix_emails_subject",
        "emails",
        [fold(sa.column("subject")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["subject"],
    )
    op.create_index(
        "ix_emails_updated",
        "emails",
        ["updated_at", "id", "owner_id"],
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
        "event_personnel",
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.String(length=80), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contacts.id"], name=op.f("fk_event_personnel_contact_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["creator_id"], ["users.id"], name=op.f("fk_event_personnel_creator_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["event_id"], ["entities.id"], name=op.f("fk_event_personnel_event_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["id"], ["entities.id"], name=op.f("fk_event_personnel_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["entities.id"], name=op.f("fk_event_personnel_owner_id")),
        sa.ForeignKeyConstraint(
            ["updater_id"], ["users.id"], name=op.f("fk_event_personnel_updater_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_personnel")),
    )
    op.create_index(op.f("ix_event_personnel_contact_id"), "event_personnel", ["contact_id"], unique=False)
    op.create_index(
        "ix_event_personnel_created",
        "event_personnel",
        ["created_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_event_personnel_event_id"), "event_personnel", ["event_id"], unique=False)
    op.create_index(op.f("ix_event_personnel_owner_id"), "event_personnel", ["owner_id"], unique=False)
    op.create_index(
        "ix_event_personnel_role",
        "event_personnel",
        ["role", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_event_personnel_updated",
        "event_personnel",
        ["updated_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "mail_scanner_rules",
        sa.Column("id", BigId, nullable=False),
        sa.Column("scanner_id", BigId, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("folders", Json, nullable=False),
        sa.Column("match", sa.String(length=3), nullable=False),
        sa.Column("sender", sa.String(length=255), nullable=False),
        sa.Column("recipient", sa.String(length=255), nullable=False),
        sa.Column("subject_operator", sa.String(length=20), nullable=False),
        sa.Column("subject", sa.String(length=500), nullable=False),
        sa.Column("body_operator", sa.String(length=20), nullable=False),
        sa.Column("body", sa.String(length=500), nullable=False),
        sa.Column("action", sa.String(length=20), nullable=False),
        sa.Column("owner_id", BigId, nullable=True),
        sa.Column("defaults", Json, nullable=False),
        sa.Column("answer_template_id", BigId, nullable=True),
        sa.ForeignKeyConstraint(
            ["answer_template_id"],
            ["email_templates.id"],
            name=op.f("fk_mail_scanner_rules_answer_template_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["entities.id"], name=op.f("fk_mail_scanner_rules_owner_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["scanner_id"], ["mail_scanners.id"], name=op.f("fk_mail_scanner_rules_scanner_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_scanner_rules")),
    )
    op.create_index(op.f("ix_mail_scanner_rules_scanner_id"), "mail_scanner_rules", ["scanner_id"], unique=False)
    op.create_table(
        "portals",
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("base_url", sa.String(length=500), nullable=True),
        sa.Column("welcome_template_id", sa.BigInteger(), nullable=True),
        sa.Column("reset_template_id", sa.BigInteger(), nullable=True),
        sa.Column("default_language", sa.String(length=80), nullable=False),
        sa.Column("languages", KeySet(), nullable=True),
        sa.Column("logo", sa.String(length=300), nullable=True),
        sa.Column("colour", sa.String(length=7), nullable=True),
        sa.Column("custom_css", sa.Text(), nullable=True),
        sa.Column("session_minutes", sa.BigInteger(), nullable=False),
        sa.Column("default_assignee_id", sa.BigInteger(), nullable=True),
        sa.Column("self_registration", sa.String(length=80), nullable=False),
        sa.Column("second_step", sa.String(length=80), nullable=False),
        sa.Column("colleague_access", sa.String(length=80), nullable=False),
        sa.Column("privacy_url", sa.String(length=500), nullable=True),
        sa.Column("terms_url", sa.String(length=500), nullable=True),
        sa.Column("welcome_text", sa.Text(), nullable=True),
        sa.Column("public_survey_enabled", sa.Boolean(), nullable=False),
        sa.Column(
            "public_survey_condition",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
        ),
        sa.Column("public_faq_enabled", sa.Boolean(), nullable=False),
        sa.Column("events_listing_enabled", sa.Boolean(), nullable=False),
        sa.Column("embed_sites", sa.Text(), nullable=True),
        sa.Column("support_expiry_notice_days", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", Json, nullable=False),
        sa.ForeignKeyConstraint(["creator_id"], ["users.id"], name=op.f("fk_portals_creator_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["default_assignee_id"], ["entities.id"], name=op.f("fk_portals_default_assignee_id")),
        sa.ForeignKeyConstraint(["id"], ["entities.id"], name=op.f("fk_portals_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["entities.id"], name=op.f("fk_portals_owner_id")),
        sa.ForeignKeyConstraint(
            ["reset_template_id"],
            ["email_templates.id"],
            name=op.f("fk_portals_reset_template_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(["updater_id"], ["users.id"], name=op.f("fk_portals_updater_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["welcome_template_id"],
            ["email_templates.id"],
            name=op.f("fk_portals_welcome_template_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_portals")),
    )
    op.create_index(
        "ix_portals_created",
        "portals",
        ["created_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_portals_default_assignee_id"), "portals", ["default_assignee_id"], unique=False)
    op.create_index(
        "ix_portals_name",
        "portals",
        [fold(sa.column("name")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["name"],
    )
    op.create_index(op.f("ix_portals_owner_id"), "portals", ["owner_id"], unique=False)
    op.create_index(op.f("ix_portals_reset_template_id"), "portals", ["reset_template_id"], unique=False)
    op.create_index(
        "ix_portals_updated",
        "portals",
        ["updated_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_portals_welcome_template_id"), "portals", ["welcome_template_id"], unique=False)
    op.create_index(
        "uq_portals_code",
        "portals",
        [fold(sa.column("code"))],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "sr_areas",
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("country", sa.String(length=200), nullable=True),
        sa.Column("city", sa.String(length=500), nullable=True),
        sa.Column("postal_codes", sa.String(length=500), nullable=True),
        sa.Column("type_id", sa.BigInteger(), nullable=True),
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", Json, nullable=False),
        sa.ForeignKeyConstraint(["creator_id"], ["users.id"], name=op.f("fk_sr_areas_creator_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["id"], ["entities.id"], name=op.f("fk_sr_areas_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["entities.id"], name=op.f("fk_sr_areas_owner_id")),
        sa.ForeignKeyConstraint(["type_id"], ["sr_types.id"], name=op.f("fk_sr_areas_type_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["unit_id"], ["groups.id"], name=op.f("fk_sr_areas_unit_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["updater_id"], ["users.id"], name=op.f("fk_sr_areas_updater_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sr_areas")),
    )
    op.create_index(
        "ix_sr_areas_created",
        "sr_areas",
        ["created_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_sr_areas_name",
        "sr_areas",
        [fold(sa.column("name")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["name"],
    )
    op.create_index(op.f("ix_sr_areas_owner_id"), "sr_areas", ["owner_id"], unique=False)
    op.create_index(op.f("ix_sr_areas_type_id"), "sr_areas", ["type_id"], unique=False)
    op.create_index(op.f("ix_sr_areas_unit_id"), "sr_areas", ["unit_id"], unique=False)
    op.create_index(
        "ix_sr_areas_updated",
        "sr_areas",
        ["updated_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "sr_rules",
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=True),
        sa.Column("type_id", sa.BigInteger(), nullable=False),
        sa.Column("from_status_id", sa.BigInteger(), nullable=True),
        sa.Column("to_status_id", sa.BigInteger(), nullable=False),
        sa.Column("allowed_id", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["allowed_id"], ["entities.id"], name=op.f("fk_sr_rules_allowed_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["creator_id"], ["users.id"], name=op.f("fk_sr_rules_creator_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["from_status_id"], ["sr_statuses.id"], name=op.f("fk_sr_rules_from_status_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["id"], ["entities.id"], name=op.f("fk_sr_rules_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["entities.id"], name=op.f("fk_sr_rules_owner_id")),
        sa.ForeignKeyConstraint(
            ["to_status_id"], ["sr_statuses.id"], name=op.f("fk_sr_rules_to_status_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["type_id"], ["sr_types.id"], name=op.f("fk_sr_rules_type_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["updater_id"], ["users.id"], name=op.f("fk_sr_rules_updater_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sr_rules")),
    )
    op.create_index(op.f("ix_sr_rules_allowed_id"), "sr_rules", ["allowed_id"], unique=False)
    op.create_index(
        "ix_sr_rules_created",
        "sr_rules",
        ["created_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_sr_rules_from_status_id"), "sr_rules", ["from_status_id"], unique=False)
    op.create_index(
        "ix_sr_rules_name",
        "sr_rules",
        [fold(sa.column("name")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["name"],
    )
    op.create_index(op.f("ix_sr_rules_owner_id"), "sr_rules", ["owner_id"], unique=False)
    op.create_index(op.f("ix_sr_rules_to_status_id"), "sr_rules", ["to_status_id"], unique=False)
    op.create_index(op.f("ix_sr_rules_type_id"), "sr_rules", ["type_id"], unique=False)
    op.create_index(
        "ix_sr_rules_updated",
        "sr_rules",
        ["updated_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "suppressions",
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
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
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
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
        ["at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_suppressions_contact_id"), "suppressions", ["contact_id"], unique=False)
    op.create_index(
        "ix_suppressions_created",
        "suppressions",
        ["created_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_suppressions_email",
        "suppressions",
        [fold(sa.column("email")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["email"],
    )
    op.create_index(op.f("ix_suppressions_owner_id"), "suppressions", ["owner_id"], unique=False)
    op.create_index(op.f("ix_suppressions_person_id"), "suppressions", ["person_id"], unique=False)
    op.create_index(op.f("ix_suppressions_scope_id"), "suppressions", ["scope_id"], unique=False)
    op.create_index(
        "ix_suppressions_updated",
        "suppressions",
        ["updated_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "target_groups",
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
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
        sa.Column("kept_fresh", sa.Boolean(), nullable=False),
        sa.Column("sample", sa.String(length=80), nullable=False),
        sa.Column("sample_size", sa.BigInteger(), nullable=True),
        sa.Column("sample_seed", sa.BigInteger(), nullable=True),
        sa.Column("send_template_id", sa.BigInteger(), nullable=True),
        sa.Column("auto_campaigns", sa.Boolean(), nullable=False),
        sa.Column("only_new_members", sa.Boolean(), nullable=False),
        sa.Column("auto_since", UtcDateTime(), nullable=True),
        sa.Column("auto_sent_for", UtcDateTime(), nullable=True),
        sa.Column("auto_problem", sa.String(length=300), nullable=True),
        sa.Column("member_count", sa.BigInteger(), nullable=True),
        sa.Column("last_refreshed_at", UtcDateTime(), nullable=True),
        sa.Column("refresh_error", sa.String(length=500), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
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
        ["created_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_target_groups_name",
        "target_groups",
        [fold(sa.column("name")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["name"],
    )
    op.create_index(op.f("ix_target_groups_owner_id"), "target_groups", ["owner_id"], unique=False)
    op.create_index(op.f("ix_target_groups_send_template_id"), "target_groups", ["send_template_id"], unique=False)
    op.create_index(
        "ix_target_groups_updated",
        "target_groups",
        ["updated_at", "id", "owner_id"],
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
        "tickets",
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("title", sa.String(length=255), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=True),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("product_id", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=80), nullable=True),
        sa.Column("priority", sa.String(length=80), nullable=False),
        sa.Column("severity", sa.String(length=80), nullable=True),
        sa.Column("category", sa.String(length=80), nullable=True),
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("solution", sa.Text(), nullable=True),
        sa.Column("hours", Scaled(), nullable=True),
        sa.Column("cc", sa.Text(), nullable=True),
        sa.Column("due_at", UtcDateTime(), nullable=True),
        sa.Column("due_by_hand", sa.Boolean(), nullable=False),
        sa.Column("respond_by_at", UtcDateTime(), nullable=True),
        sa.Column("first_answer_at", UtcDateTime(), nullable=True),
        sa.Column("paused_at", UtcDateTime(), nullable=True),
        sa.Column("paused_minutes", sa.BigInteger(), nullable=True),
        sa.Column("overdue", sa.Boolean(), nullable=False),
        sa.Column("answer_overdue", sa.Boolean(), nullable=False),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.Column("closed_by_customer", sa.Boolean(), nullable=False),
        sa.Column("reopened_count", sa.BigInteger(), nullable=True),
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        sa.Column("merged_into_id", sa.BigInteger(), nullable=True),
        sa.Column("scanner_id", sa.BigInteger(), nullable=True),
        sa.Column("last_comment_at", UtcDateTime(), nullable=True),
        sa.Column("told_owner_id", BigId, nullable=True),
        sa.Column("told_status", sa.String(length=80), nullable=True),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_tickets_account_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contacts.id"], name=op.f("fk_tickets_contact_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["creator_id"], ["users.id"], name=op.f("fk_tickets_creator_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["id"], ["entities.id"], name=op.f("fk_tickets_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["merged_into_id"], ["tickets.id"], name=op.f("fk_tickets_merged_into_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["entities.id"], name=op.f("fk_tickets_owner_id")),
        sa.ForeignKeyConstraint(["parent_id"], ["tickets.id"], name=op.f("fk_tickets_parent_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_tickets_product_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["updater_id"], ["users.id"], name=op.f("fk_tickets_updater_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tickets")),
    )
    op.create_index(op.f("ix_tickets_account_id"), "tickets", ["account_id"], unique=False)
    op.create_index("ix_tickets_clock", "tickets", ["state", "due_at"], unique=False)
    op.create_index(
        "ix_tickets_closed_at",
        "tickets",
        ["closed_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_tickets_contact_id"), "tickets", ["contact_id"], unique=False)
    op.create_index(
        "ix_tickets_created",
        "tickets",
        ["created_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_tickets_merged_into_id"), "tickets", ["merged_into_id"], unique=False)
    op.create_index(
        "ix_tickets_overdue",
        "tickets",
        ["overdue", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_tickets_owner_id"), "tickets", ["owner_id"], unique=False)
    op.create_index(op.f("ix_tickets_parent_id"), "tickets", ["parent_id"], unique=False)
    op.create_index(op.f("ix_tickets_product_id"), "tickets", ["product_id"], unique=False)
    op.create_index(
        "ix_tickets_status",
        "tickets",
        ["status", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_tickets_title",
        "tickets",
        [fold(sa.column("title")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["title"],
    )
    op.create_index(
        "ix_tickets_updated",
        "tickets",
        ["updated_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_tickets_number",
        "tickets",
        ["number"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "visitor_links",
        sa.Column("serial", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("visitor_id", BigId, nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["visitor_id"], ["visitors.id"], name=op.f("fk_visitor_links_visitor_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("serial", name=op.f("pk_visitor_links")),
    )
    op.create_index("ix_visitor_links_used", "visitor_links", ["used_at"], unique=False)
    op.create_index(op.f("ix_visitor_links_visitor_id"), "visitor_links", ["visitor_id"], unique=False)
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
        sa.Column("owed_template_id", BigId, nullable=True),
        sa.Column("auto_mail_at", UtcDateTime(), nullable=True),
        sa.Column("auto_mail_note", sa.String(length=300), nullable=True),
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
            ["owed_template_id"],
            ["email_templates.id"],
            name=op.f("fk_campaign_members_owed_template_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["entities.id"], name=op.f("fk_campaign_members_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_members")),
    )
    op.create_index("ix_campaign_members_added", "campaign_members", ["person_id", "added_at"], unique=False)
    op.create_index(op.f("ix_campaign_members_campaign_id"), "campaign_members", ["campaign_id"], unique=False)
    op.create_index(op.f("ix_campaign_members_contact_id"), "campaign_members", ["contact_id"], unique=False)
    op.create_index(
        "ix_campaign_members_owed",
        "campaign_members",
        ["owed_template_id", "campaign_id"],
        unique=False,
        sqlite_where=sa.text("owed_template_id IS NOT NULL"),
        postgresql_where=sa.text("owed_template_id IS NOT NULL"),
    )
    op.create_index(op.f("ix_campaign_members_person_id"), "campaign_members", ["person_id"], unique=False)
    op.create_index(
        "ix_campaign_members_state", "campaign_members", ["campaign_id", "state", "person_id"], unique=False
    )
    op.create_index("uq_campaign_members_person", "campaign_members", ["campaign_id", "person_id"], unique=True)
    op.create_table(
        "certificates",
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("attendee_id", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=True),
        sa.Column("template_id", sa.BigInteger(), nullable=True),
        sa.Column("template_version", sa.BigInteger(), nullable=True),
        sa.Column("verify_code", sa.String(length=24), nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=True),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("issued_at", UtcDateTime(), nullable=True),
        sa.Column("sent_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.Column("problem", sa.String(length=300), nullable=True),
        sa.Column("id", BigId, nullable=False),
        sa.ForeignKeyConstraint(
            ["attendee_id"], ["attendees.id"], name=op.f("fk_certificates_attendee_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contacts.id"], name=op.f("fk_certificates_contact_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["event_id"], ["entities.id"], name=op.f("fk_certificates_event_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["file_id"], ["files.id"], name=op.f("fk_certificates_file_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["template_id"], ["document_templates.id"], name=op.f("fk_certificates_template_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificates")),
        sa.UniqueConstraint("verify_code", name=op.f("uq_certificates_verify_code")),
    )
    op.create_index(op.f("ix_certificates_attendee_id"), "certificates", ["attendee_id"], unique=False)
    op.create_index(op.f("ix_certificates_contact_id"), "certificates", ["contact_id"], unique=False)
    op.create_index(op.f("ix_certificates_event_id"), "certificates", ["event_id"], unique=False)
    op.create_index(op.f("ix_certificates_file_id"), "certificates", ["file_id"], unique=False)
    op.create_index(op.f("ix_certificates_template_id"), "certificates", ["template_id"], unique=False)
    op.create_table(
        "faqs",
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("question", sa.String(length=255), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("category", sa.String(length=80), nullable=True),
        sa.Column("product_id", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.String(length=80), nullable=False),
        sa.Column("language", sa.String(length=80), nullable=True),
        sa.Column("source_ticket_id", sa.BigInteger(), nullable=True),
        sa.Column("views", sa.BigInteger(), nullable=True),
        sa.Column("helpful_yes", sa.BigInteger(), nullable=True),
        sa.Column("helpful_no", sa.BigInteger(), nullable=True),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", Json, nullable=False),
        sa.ForeignKeyConstraint(["creator_id"], ["users.id"], name=op.f("fk_faqs_creator_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["id"], ["entities.id"], name=op.f("fk_faqs_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["entities.id"], name=op.f("fk_faqs_owner_id")),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_faqs_product_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["source_ticket_id"], ["tickets.id"], name=op.f("fk_faqs_source_ticket_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["updater_id"], ["users.id"], name=op.f("fk_faqs_updater_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_faqs")),
    )
    op.create_index(
        "ix_faqs_created",
        "faqs",
        ["created_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_faqs_owner_id"), "faqs", ["owner_id"], unique=False)
    op.create_index(op.f("ix_faqs_product_id"), "faqs", ["product_id"], unique=False)
    op.create_index(
        "ix_faqs_question",
        "faqs",
        [fold(sa.column("question")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["question"],
    )
    op.create_index(op.f("ix_faqs_source_ticket_id"), "faqs", ["source_ticket_id"], unique=False)
    op.create_index(
        "ix_faqs_status",
        "faqs",
        ["status", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_faqs_updated",
        "faqs",
        ["updated_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_faqs_number",
        "faqs",
        ["number"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "leads",
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
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
        sa.Column("score", sa.BigInteger(), nullable=True),
        sa.Column("score_grade", sa.String(length=80), nullable=True),
        sa.Column("first_touch", sa.String(length=200), nullable=True),
        sa.Column("last_touch", sa.String(length=200), nullable=True),
        sa.Column("converted_at", UtcDateTime(), nullable=True),
        sa.Column("converted_account_id", sa.BigInteger(), nullable=True),
        sa.Column("converted_contact_id", sa.BigInteger(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
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
        [fold(sa.column("city")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["city"],
    )
    op.create_index(
        "ix_leads_company",
        "leads",
        [fold(sa.column("company")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["company"],
    )
    op.create_index(op.f("ix_leads_converted_account_id"), "leads", ["converted_account_id"], unique=False)
    op.create_index(
        "ix_leads_converted_at",
        "leads",
        ["converted_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_leads_converted_contact_id"), "leads", ["converted_contact_id"], unique=False)
    op.create_index(
        "ix_leads_created",
        "leads",
        ["created_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_leads_email",
        "leads",
        [fold(sa.column("email")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["email"],
    )
    op.create_index(
        "ix_leads_email_key",
        "leads",
        [fold(sa.column("email_key")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["email_key"],
    )
    op.create_index(
        "ix_leads_last_name",
        "leads",
        [fold(sa.column("last_name")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["last_name"],
    )
    op.create_index(op.f("ix_leads_owner_id"), "leads", ["owner_id"], unique=False)
    op.create_index(
        "ix_leads_score",
        "leads",
        ["score", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_leads_updated",
        "leads",
        ["updated_at", "id", "owner_id"],
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
        "portal_profiles",
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("portal_id", sa.BigInteger(), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("name_key", sa.String(length=180), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("modules", Json, nullable=False),
        sa.Column("links", Json, nullable=False),
        sa.Column("boxes", Json, nullable=False),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["creator_id"], ["users.id"], name=op.f("fk_portal_profiles_creator_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["id"], ["entities.id"], name=op.f("fk_portal_profiles_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["entities.id"], name=op.f("fk_portal_profiles_owner_id")),
        sa.ForeignKeyConstraint(
            ["portal_id"], ["portals.id"], name=op.f("fk_portal_profiles_portal_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["updater_id"], ["users.id"], name=op.f("fk_portal_profiles_updater_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_portal_profiles")),
    )
    op.create_index(
        "ix_portal_profiles_created",
        "portal_profiles",
        ["created_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_portal_profiles_name",
        "portal_profiles",
        [fold(sa.column("name")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["name"],
    )
    op.create_index(op.f("ix_portal_profiles_owner_id"), "portal_profiles", ["owner_id"], unique=False)
    op.create_index(op.f("ix_portal_profiles_portal_id"), "portal_profiles", ["portal_id"], unique=False)
    op.create_index(
        "ix_portal_profiles_updated",
        "portal_profiles",
        ["updated_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_portal_profiles_name_key",
        "portal_profiles",
        [fold(sa.column("name_key"))],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "portal_requests",
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("status", sa.String(length=80), nullable=False),
        sa.Column("portal_id", sa.BigInteger(), nullable=False),
        sa.Column("first_name", sa.String(length=60), nullable=True),
        sa.Column("last_name", sa.String(length=80), nullable=True),
        sa.Column("company", sa.String(length=120), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("asked_by_id", sa.BigInteger(), nullable=True),
        sa.Column("contact_id", sa.BigInteger(), nullable=True),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["asked_by_id"], ["contacts.id"], name=op.f("fk_portal_requests_asked_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contacts.id"], name=op.f("fk_portal_requests_contact_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["creator_id"], ["users.id"], name=op.f("fk_portal_requests_creator_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["id"], ["entities.id"], name=op.f("fk_portal_requests_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["entities.id"], name=op.f("fk_portal_requests_owner_id")),
        sa.ForeignKeyConstraint(
            ["portal_id"], ["portals.id"], name=op.f("fk_portal_requests_portal_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["updater_id"], ["users.id"], name=op.f("fk_portal_requests_updater_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_portal_requests")),
    )
    op.create_index(op.f("ix_portal_requests_asked_by_id"), "portal_requests", ["asked_by_id"], unique=False)
    op.create_index(op.f("ix_portal_requests_contact_id"), "portal_requests", ["contact_id"], unique=False)
    op.create_index(
        "ix_portal_requests_created",
        "portal_requests",
        ["created_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_portal_requests_email",
        "portal_requests",
        [fold(sa.column("email")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["email"],
    )
    op.create_index(op.f("ix_portal_requests_owner_id"), "portal_requests", ["owner_id"], unique=False)
    op.create_index(op.f("ix_portal_requests_portal_id"), "portal_requests", ["portal_id"], unique=False)
    op.create_index(
        "ix_portal_requests_updated",
        "portal_requests",
        ["updated_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "portal_target_groups",
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
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
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
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
        ["created_at", "id", "owner_id"],
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
        [fold(sa.column("name")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["name"],
    )
    op.create_index(op.f("ix_portal_target_groups_owner_id"), "portal_target_groups", ["owner_id"], unique=False)
    op.create_index(
        "ix_portal_target_groups_updated",
        "portal_target_groups",
        ["updated_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "sendouts",
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.String(length=150), nullable=False),
        sa.Column("email_template_id", sa.BigInteger(), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=True),
        sa.Column("list_type_id", sa.BigInteger(), nullable=True),
        sa.Column("source", sa.String(length=80), nullable=True),
        sa.Column("is_automatic", sa.Boolean(), nullable=False),
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        sa.Column("recurrence", sa.String(length=80), nullable=True),
        sa.Column("recurs_until", sa.Date(), nullable=True),
        sa.Column("recurs_from", UtcDateTime(), nullable=True),
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
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
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
        sa.ForeignKeyConstraint(
            ["parent_id"], ["sendouts.id"], name=op.f("fk_sendouts_parent_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["updater_id"], ["users.id"], name=op.f("fk_sendouts_updater_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sendouts")),
    )
    op.create_index(op.f("ix_sendouts_campaign_id"), "sendouts", ["campaign_id"], unique=False)
    op.create_index(
        "ix_sendouts_created",
        "sendouts",
        ["created_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_sendouts_email_template_id"), "sendouts", ["email_template_id"], unique=False)
    op.create_index(op.f("ix_sendouts_list_type_id"), "sendouts", ["list_type_id"], unique=False)
    op.create_index(
        "ix_sendouts_name",
        "sendouts",
        [fold(sa.column("name")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["name"],
    )
    op.create_index(op.f("ix_sendouts_owner_id"), "sendouts", ["owner_id"], unique=False)
    op.create_index(op.f("ix_sendouts_parent_id"), "sendouts", ["parent_id"], unique=False)
    op.create_index(
        "ix_sendouts_scheduled_at",
        "sendouts",
        ["scheduled_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_sendouts_state",
        "sendouts",
        ["state", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_sendouts_updated",
        "sendouts",
        ["updated_at", "id", "owner_id"],
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
        "service_requests",
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("title", sa.String(length=255), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("contact_id", sa.BigInteger(), nullable=True),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("type_id", sa.BigInteger(), nullable=True),
        sa.Column("product_id", sa.BigInteger(), nullable=True),
        sa.Column("category_id", sa.BigInteger(), nullable=True),
        sa.Column("category_path", sa.String(length=500), nullable=True),
        sa.Column("classification", sa.String(length=80), nullable=True),
        sa.Column("status_id", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.String(length=80), nullable=True),
        sa.Column("state", sa.String(length=80), nullable=True),
        sa.Column("impact", sa.String(length=80), nullable=True),
        sa.Column("urgency", sa.String(length=80), nullable=True),
        sa.Column("priority", sa.BigInteger(), nullable=True),
        sa.Column("priority_by_hand", sa.Boolean(), nullable=False),
        sa.Column("priority_reason", sa.String(length=300), nullable=True),
        sa.Column("routed", sa.Boolean(), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=True),
        sa.Column("accepted_by_id", sa.BigInteger(), nullable=True),
        sa.Column("waits_for", sa.Boolean(), nullable=False),
        sa.Column("rejected", sa.Boolean(), nullable=False),
        sa.Column("starts_at", UtcDateTime(), nullable=True),
        sa.Column("clock_from", UtcDateTime(), nullable=True),
        sa.Column("due_at", UtcDateTime(), nullable=True),
        sa.Column("responded_at", UtcDateTime(), nullable=True),
        sa.Column("resolved_at", UtcDateTime(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("overdue", sa.Boolean(), nullable=False),
        sa.Column("minutes_taken", sa.BigInteger(), nullable=True),
        sa.Column("minutes_late", sa.BigInteger(), nullable=True),
        sa.Column("paused_at", UtcDateTime(), nullable=True),
        sa.Column("paused_minutes", sa.BigInteger(), nullable=True),
        sa.Column("alert_at", UtcDateTime(), nullable=True),
        sa.Column("alerted", sa.BigInteger(), nullable=True),
        sa.Column("cancel_reason", sa.String(length=80), nullable=True),
        sa.Column("cancel_note", sa.String(length=500), nullable=True),
        sa.Column("rating", sa.BigInteger(), nullable=True),
        sa.Column("ticket_id", sa.BigInteger(), nullable=True),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["accepted_by_id"], ["users.id"], name=op.f("fk_service_requests_accepted_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_service_requests_account_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["category_id"], ["sr_categories.id"], name=op.f("fk_service_requests_category_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contacts.id"], name=op.f("fk_service_requests_contact_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["creator_id"], ["users.id"], name=op.f("fk_service_requests_creator_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["id"], ["entities.id"], name=op.f("fk_service_requests_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["entities.id"], name=op.f("fk_service_requests_owner_id")),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_service_requests_product_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["status_id"], ["sr_statuses.id"], name=op.f("fk_service_requests_status_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name=op.f("fk_service_requests_ticket_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["type_id"], ["sr_types.id"], name=op.f("fk_service_requests_type_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["unit_id"], ["groups.id"], name=op.f("fk_service_requests_unit_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["updater_id"], ["users.id"], name=op.f("fk_service_requests_updater_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_requests")),
    )
    op.create_index(op.f("ix_service_requests_account_id"), "service_requests", ["account_id"], unique=False)
    op.create_index(op.f("ix_service_requests_category_id"), "service_requests", ["category_id"], unique=False)
    op.create_index("ix_service_requests_clock", "service_requests", ["state", "alert_at"], unique=False)
    op.create_index(op.f("ix_service_requests_contact_id"), "service_requests", ["contact_id"], unique=False)
    op.create_index(
        "ix_service_requests_created",
        "service_requests",
        ["created_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index("ix_service_requests_due", "service_requests", ["state", "due_at"], unique=False)
    op.create_index(op.f("ix_service_requests_owner_id"), "service_requests", ["owner_id"], unique=False)
    op.create_index(op.f("ix_service_requests_product_id"), "service_requests", ["product_id"], unique=False)
    op.create_index(
        "ix_service_requests_state",
        "service_requests",
        ["state", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_service_requests_status_id"), "service_requests", ["status_id"], unique=False)
    op.create_index(op.f("ix_service_requests_ticket_id"), "service_requests", ["ticket_id"], unique=False)
    op.create_index(
        "ix_service_requests_title",
        "service_requests",
        [fold(sa.column("title")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["title"],
    )
    op.create_index(op.f("ix_service_requests_type_id"), "service_requests", ["type_id"], unique=False)
    op.create_index(op.f("ix_service_requests_unit_id"), "service_requests", ["unit_id"], unique=False)
    op.create_index(
        "ix_service_requests_updated",
        "service_requests",
        ["updated_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_service_requests_number",
        "service_requests",
        ["number"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "surveys",
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.String(length=150), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("status", sa.String(length=80), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=True),
        sa.Column("intro", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("language", sa.String(length=80), nullable=True),
        sa.Column("languages", KeySet(), nullable=True),
        sa.Column("days_valid", sa.BigInteger(), nullable=True),
        sa.Column("opens_at", UtcDateTime(), nullable=True),
        sa.Column("closes_at", UtcDateTime(), nullable=True),
        sa.Column("max_responses", sa.BigInteger(), nullable=True),
        sa.Column("repeatable", sa.Boolean(), nullable=False),
        sa.Column("allow_draft", sa.Boolean(), nullable=False),
        sa.Column("editable_until", UtcDateTime(), nullable=True),
        sa.Column("anonymous", sa.Boolean(), nullable=False),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("public_match_field", sa.String(length=80), nullable=True),
        sa.Column("contact_update", sa.String(length=80), nullable=False),
        sa.Column("create_contact", sa.Boolean(), nullable=False),
        sa.Column("new_owner_id", sa.BigInteger(), nullable=True),
        sa.Column("double_opt_in", sa.Boolean(), nullable=False),
        sa.Column("thank_you_page_id", sa.BigInteger(), nullable=True),
        sa.Column("completion_message", sa.Text(), nullable=True),
        sa.Column("message_invalid", sa.String(length=300), nullable=True),
        sa.Column("message_required", sa.String(length=300), nullable=True),
        sa.Column("message_closed", sa.String(length=300), nullable=True),
        sa.Column("message_answered", sa.String(length=300), nullable=True),
        sa.Column("button_next", sa.String(length=40), nullable=True),
        sa.Column("button_back", sa.String(length=40), nullable=True),
        sa.Column("button_save", sa.String(length=40), nullable=True),
        sa.Column("button_send", sa.String(length=40), nullable=True),
        sa.Column("show_progress", sa.Boolean(), nullable=False),
        sa.Column("theme_id", sa.BigInteger(), nullable=True),
        sa.Column("css", sa.Text(), nullable=True),
        sa.Column("campaign_id", sa.BigInteger(), nullable=True),
        sa.Column("translations", Json, nullable=False),
        sa.Column("edition", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_surveys_campaign_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["creator_id"], ["users.id"], name=op.f("fk_surveys_creator_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["id"], ["entities.id"], name=op.f("fk_surveys_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["new_owner_id"], ["users.id"], name=op.f("fk_surveys_new_owner_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["entities.id"], name=op.f("fk_surveys_owner_id")),
        sa.ForeignKeyConstraint(
            ["thank_you_page_id"], ["landing_pages.id"], name=op.f("fk_surveys_thank_you_page_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["theme_id"], ["survey_themes.id"], name=op.f("fk_surveys_theme_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["updater_id"], ["users.id"], name=op.f("fk_surveys_updater_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_surveys")),
    )
    op.create_index(op.f("ix_surveys_campaign_id"), "surveys", ["campaign_id"], unique=False)
    op.create_index(
        "ix_surveys_created",
        "surveys",
        ["created_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_surveys_name",
        "surveys",
        [fold(sa.column("name")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["name"],
    )
    op.create_index(op.f("ix_surveys_owner_id"), "surveys", ["owner_id"], unique=False)
    op.create_index(op.f("ix_surveys_thank_you_page_id"), "surveys", ["thank_you_page_id"], unique=False)
    op.create_index(op.f("ix_surveys_theme_id"), "surveys", ["theme_id"], unique=False)
    op.create_index(
        "ix_surveys_updated",
        "surveys",
        ["updated_at", "id", "owner_id"],
        unique=False,
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
        "ticket_comments",
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("visibility", sa.String(length=80), nullable=False),
        sa.Column("author", sa.String(length=80), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("contact_id", sa.BigInteger(), nullable=True),
        sa.Column("author_name", sa.String(length=160), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("quoted", sa.Text(), nullable=True),
        sa.Column("html", sa.Text(), nullable=True),
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("flag", sa.String(length=80), nullable=True),
        sa.Column("note", sa.String(length=500), nullable=True),
        sa.Column("edited_at", UtcDateTime(), nullable=True),
        sa.Column("removed_at", UtcDateTime(), nullable=True),
        sa.Column("id", BigId, nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contacts.id"], name=op.f("fk_ticket_comments_contact_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_comments_ticket_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_ticket_comments_user_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_comments")),
    )
    op.create_index(op.f("ix_ticket_comments_contact_id"), "ticket_comments", ["contact_id"], unique=False)
    op.create_index("ix_ticket_comments_thread", "ticket_comments", ["ticket_id", "at", "id"], unique=False)
    op.create_index(op.f("ix_ticket_comments_ticket_id"), "ticket_comments", ["ticket_id"], unique=False)
    op.create_table(
        "website_forms",
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("entity", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=80), nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=True),
        sa.Column("intro", sa.Text(), nullable=True),
        sa.Column("button", sa.String(length=60), nullable=True),
        sa.Column("thanks", sa.Text(), nullable=True),
        sa.Column("language", sa.String(length=80), nullable=True),
        sa.Column("redirect_url", sa.String(length=500), nullable=True),
        sa.Column("new_owner_id", sa.BigInteger(), nullable=True),
        sa.Column("lead_source", sa.String(length=80), nullable=True),
        sa.Column("contact_type", sa.String(length=80), nullable=True),
        sa.Column("account_type", sa.String(length=80), nullable=True),
        sa.Column("campaign_id", sa.BigInteger(), nullable=True),
        sa.Column("notified_id", sa.BigInteger(), nullable=True),
        sa.Column("notifies_owner", sa.Boolean(), nullable=False),
        sa.Column("consent_text", sa.Text(), nullable=True),
        sa.Column("consent_required", sa.Boolean(), nullable=False),
        sa.Column("double_opt_in", sa.Boolean(), nullable=False),
        sa.Column("allowed_origins", sa.Text(), nullable=True),
        sa.Column("accepts_plain", sa.Boolean(), nullable=False),
        sa.Column("asks_sum", sa.Boolean(), nullable=False),
        sa.Column("takes_files", sa.Boolean(), nullable=False),
        sa.Column("file_types", sa.String(length=200), nullable=True),
        sa.Column("kept_months", sa.BigInteger(), nullable=False),
        sa.Column("translations", Json, nullable=False),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_website_forms_campaign_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["creator_id"], ["users.id"], name=op.f("fk_website_forms_creator_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["id"], ["entities.id"], name=op.f("fk_website_forms_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["new_owner_id"], ["entities.id"], name=op.f("fk_website_forms_new_owner_id")),
        sa.ForeignKeyConstraint(["notified_id"], ["entities.id"], name=op.f("fk_website_forms_notified_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["entities.id"], name=op.f("fk_website_forms_owner_id")),
        sa.ForeignKeyConstraint(
            ["updater_id"], ["users.id"], name=op.f("fk_website_forms_updater_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_website_forms")),
    )
    op.create_index(op.f("ix_website_forms_campaign_id"), "website_forms", ["campaign_id"], unique=False)
    op.create_index(
        "ix_website_forms_created",
        "website_forms",
        ["created_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_website_forms_name",
        "website_forms",
        [fold(sa.column("name")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["name"],
    )
    op.create_index(op.f("ix_website_forms_new_owner_id"), "website_forms", ["new_owner_id"], unique=False)
    op.create_index(op.f("ix_website_forms_notified_id"), "website_forms", ["notified_id"], unique=False)
    op.create_index(op.f("ix_website_forms_owner_id"), "website_forms", ["owner_id"], unique=False)
    op.create_index(
        "ix_website_forms_updated",
        "website_forms",
        ["updated_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_website_forms_key",
        "website_forms",
        [fold(sa.column("key"))],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "autoresponders",
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.String(length=150), nullable=False),
        sa.Column("sendout_id", sa.BigInteger(), nullable=False),
        sa.Column("reaction", sa.String(length=80), nullable=False),
        sa.Column("link_number", sa.BigInteger(), nullable=True),
        sa.Column("delay", sa.BigInteger(), nullable=False),
        sa.Column("unit", sa.String(length=80), nullable=False),
        sa.Column("email_template_id", sa.BigInteger(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("activated_at", UtcDateTime(), nullable=True),
        sa.Column("problem", sa.String(length=300), nullable=True),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["creator_id"], ["users.id"], name=op.f("fk_autoresponders_creator_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["email_template_id"],
            ["email_templates.id"],
            name=op.f("fk_autoresponders_email_template_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(["id"], ["entities.id"], name=op.f("fk_autoresponders_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["entities.id"], name=op.f("fk_autoresponders_owner_id")),
        sa.ForeignKeyConstraint(
            ["sendout_id"], ["sendouts.id"], name=op.f("fk_autoresponders_sendout_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["updater_id"], ["users.id"], name=op.f("fk_autoresponders_updater_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_autoresponders")),
    )
    op.create_index(
        "ix_autoresponders_created",
        "autoresponders",
        ["created_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_autoresponders_email_template_id"), "autoresponders", ["email_template_id"], unique=False)
    op.create_index(
        "ix_autoresponders_name",
        "autoresponders",
        [fold(sa.column("name")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["name"],
    )
    op.create_index(op.f("ix_autoresponders_owner_id"), "autoresponders", ["owner_id"], unique=False)
    op.create_index(op.f("ix_autoresponders_sendout_id"), "autoresponders", ["sendout_id"], unique=False)
    op.create_index(
        "ix_autoresponders_updated",
        "autoresponders",
        ["updated_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
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
        sa.Column("made_by", sa.String(length=80), nullable=False),
        sa.Column("why", sa.String(length=80), nullable=True),
        sa.Column("delay", sa.BigInteger(), nullable=True),
        sa.Column("signs", sa.String(length=120), nullable=True),
        sa.Column("rules", sa.BigInteger(), nullable=True),
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
    op.create_index("ix_clicks_person_sendout", "clicks", ["person_id", "sendout_id", "made_by"], unique=False)
    op.create_index("ix_clicks_sendout_at", "clicks", ["sendout_id", "at"], unique=False)
    op.create_index(op.f("ix_clicks_sendout_id"), "clicks", ["sendout_id"], unique=False)
    op.create_table(
        "faq_votes",
        sa.Column("faq_id", BigId, nullable=False),
        sa.Column("contact_id", BigId, nullable=False),
        sa.Column("is_helpful", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contacts.id"], name=op.f("fk_faq_votes_contact_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["faq_id"], ["faqs.id"], name=op.f("fk_faq_votes_faq_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("faq_id", "contact_id", name=op.f("pk_faq_votes")),
    )
    op.create_index(op.f("ix_faq_votes_contact_id"), "faq_votes", ["contact_id"], unique=False)
    op.create_table(
        "form_counts",
        sa.Column("form_id", BigId, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("variant", sa.String(length=2), nullable=False),
        sa.Column("what", sa.String(length=10), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["form_id"], ["website_forms.id"], name=op.f("fk_form_counts_form_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("form_id", "day", "variant", "what", name=op.f("pk_form_counts")),
    )
    op.create_table(
        "form_old_keys",
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("form_id", BigId, nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["form_id"], ["website_forms.id"], name=op.f("fk_form_old_keys_form_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_form_old_keys")),
    )
    op.create_index(op.f("ix_form_old_keys_form_id"), "form_old_keys", ["form_id"], unique=False)
    op.create_table(
        "form_submissions",
        sa.Column("form_id", BigId, nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("outcome", sa.String(length=80), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("person_id", BigId, nullable=True),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("email_key", sa.String(length=320), nullable=True),
        sa.Column("said", Json, nullable=False),
        sa.Column("troubles", Json, nullable=False),
        sa.Column("once", sa.String(length=64), nullable=False),
        sa.Column("language", sa.String(length=80), nullable=True),
        sa.Column("variant", sa.String(length=2), nullable=True),
        sa.Column("consent", sa.Boolean(), nullable=False),
        sa.Column("consent_wording", sa.Text(), nullable=True),
        sa.Column("page", sa.String(length=500), nullable=True),
        sa.Column("referrer", sa.String(length=200), nullable=True),
        sa.Column("source", sa.String(length=100), nullable=True),
        sa.Column("medium", sa.String(length=100), nullable=True),
        sa.Column("campaign", sa.String(length=100), nullable=True),
        sa.Column("first_touch", Json, nullable=True),
        sa.Column("cookie", sa.String(length=22), nullable=True),
        sa.Column("ip", sa.String(length=45), nullable=True),
        sa.Column("agent_family", sa.String(length=60), nullable=True),
        sa.Column("tried_count", sa.BigInteger(), nullable=False),
        sa.Column("settled_at", UtcDateTime(), nullable=True),
        sa.Column("id", BigId, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_form_submissions_account_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["form_id"], ["website_forms.id"], name=op.f("fk_form_submissions_form_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["entities.id"], name=op.f("fk_form_submissions_person_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_form_submissions")),
    )
    op.create_index(op.f("ix_form_submissions_account_id"), "form_submissions", ["account_id"], unique=False)
    op.create_index("ix_form_submissions_email", "form_submissions", ["email_key"], unique=False)
    op.create_index("ix_form_submissions_form_at", "form_submissions", ["form_id", "received_at"], unique=False)
    op.create_index("ix_form_submissions_person_at", "form_submissions", ["person_id", "received_at"], unique=False)
    op.create_index("uq_form_submissions_once", "form_submissions", ["once"], unique=True)
    op.create_table(
        "form_variants",
        sa.Column("id", BigId, nullable=False),
        sa.Column("form_id", BigId, nullable=False),
        sa.Column("letter", sa.String(length=2), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=True),
        sa.Column("intro", sa.Text(), nullable=True),
        sa.Column("button", sa.String(length=60), nullable=True),
        sa.Column("left_out", Json, nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["form_id"], ["website_forms.id"], name=op.f("fk_form_variants_form_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_form_variants")),
        sa.UniqueConstraint("form_id", "letter", name=op.f("uq_form_variants_form_id_letter")),
    )
    op.create_table(
        "invitation_events",
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("status", sa.String(length=80), nullable=False),
        sa.Column("seats", sa.BigInteger(), nullable=False),
        sa.Column("unlimited_seats", sa.Boolean(), nullable=False),
        sa.Column("spare_places", sa.BigInteger(), nullable=False),
        sa.Column("starts_at", UtcDateTime(), nullable=True),
        sa.Column("ends_at", UtcDateTime(), nullable=True),
        sa.Column("time_zone", sa.String(length=60), nullable=False),
        sa.Column("last_registration_on", sa.Date(), nullable=True),
        sa.Column("last_cancellation_on", sa.Date(), nullable=True),
        sa.Column("location", sa.String(length=250), nullable=True),
        sa.Column("online_url", sa.String(length=500), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("picture_id", sa.BigInteger(), nullable=True),
        sa.Column("picture_path", sa.String(length=60), nullable=True),
        sa.Column("join_template_id", sa.BigInteger(), nullable=True),
        sa.Column("spare_template_id", sa.BigInteger(), nullable=True),
        sa.Column("cancel_template_id", sa.BigInteger(), nullable=True),
        sa.Column("called_off_template_id", sa.BigInteger(), nullable=True),
        sa.Column("product_id", sa.BigInteger(), nullable=True),
        sa.Column("price", Scaled(), nullable=True),
        sa.Column("survey_id", sa.BigInteger(), nullable=True),
        sa.Column("campaign_id", sa.BigInteger(), nullable=True),
        sa.Column("portal_visible", sa.Boolean(), nullable=False),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("confirm_email", sa.Boolean(), nullable=False),
        sa.Column("ask_before_spare", sa.Boolean(), nullable=False),
        sa.Column("show_counts", sa.Boolean(), nullable=False),
        sa.Column("max_per_account", sa.BigInteger(), nullable=True),
        sa.Column("spare_promotion", sa.String(length=80), nullable=False),
        sa.Column("promotion_cutoff_hours", sa.BigInteger(), nullable=False),
        sa.Column("is_full", sa.Boolean(), nullable=False),
        sa.Column("slug", sa.String(length=40), nullable=True),
        sa.Column("public_link", sa.String(length=500), nullable=True),
        sa.Column("cancel_reason", sa.Text(), nullable=True),
        sa.Column("mail_warning", sa.String(length=500), nullable=True),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["called_off_template_id"],
            ["email_templates.id"],
            name=op.f("fk_invitation_events_called_off_template_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_invitation_events_campaign_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["cancel_template_id"],
            ["email_templates.id"],
            name=op.f("fk_invitation_events_cancel_template_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["creator_id"], ["users.id"], name=op.f("fk_invitation_events_creator_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["id"], ["entities.id"], name=op.f("fk_invitation_events_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["join_template_id"],
            ["email_templates.id"],
            name=op.f("fk_invitation_events_join_template_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["entities.id"], name=op.f("fk_invitation_events_owner_id")),
        sa.ForeignKeyConstraint(
            ["picture_id"], ["files.id"], name=op.f("fk_invitation_events_picture_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_invitation_events_product_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["spare_template_id"],
            ["email_templates.id"],
            name=op.f("fk_invitation_events_spare_template_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["survey_id"], ["surveys.id"], name=op.f("fk_invitation_events_survey_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["updater_id"], ["users.id"], name=op.f("fk_invitation_events_updater_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation_events")),
    )
    op.create_index(
        op.f("ix_invitation_events_called_off_template_id"),
        "invitation_events",
        ["called_off_template_id"],
        unique=False,
    )
    op.create_index(op.f("ix_invitation_events_campaign_id"), "invitation_events", ["campaign_id"], unique=False)
    op.create_index(
        op.f("ix_invitation_events_cancel_template_id"), "invitation_events", ["cancel_template_id"], unique=False
    )
    op.create_index(
        "ix_invitation_events_created",
        "invitation_events",
        ["created_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_invitation_events_ends_at",
        "invitation_events",
        ["ends_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        op.f("ix_invitation_events_join_template_id"), "invitation_events", ["join_template_id"], unique=False
    )
    op.create_index(
        "ix_invitation_events_name",
        "invitation_events",
        [fold(sa.column("name")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["name"],
    )
    op.create_index(op.f("ix_invitation_events_owner_id"), "invitation_events", ["owner_id"], unique=False)
    op.create_index(op.f("ix_invitation_events_picture_id"), "invitation_events", ["picture_id"], unique=False)
    op.create_index(op.f("ix_invitation_events_product_id"), "invitation_events", ["product_id"], unique=False)
    op.create_index(
        op.f("ix_invitation_events_spare_template_id"), "invitation_events", ["spare_template_id"], unique=False
    )
    op.create_index(
        "ix_invitation_events_starts_at",
        "invitation_events",
        ["starts_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_invitation_events_survey_id"), "invitation_events", ["survey_id"], unique=False)
    op.create_index(
        "ix_invitation_events_updated",
        "invitation_events",
        ["updated_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_invitation_events_number",
        "invitation_events",
        ["number"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_invitation_events_slug",
        "invitation_events",
        [fold(sa.column("slug"))],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "mass_events",
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("status", sa.String(length=80), nullable=False),
        sa.Column("event_type", sa.String(length=80), nullable=False),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.Column("registration_starts_at", UtcDateTime(), nullable=True),
        sa.Column("registration_ends_at", UtcDateTime(), nullable=True),
        sa.Column("cancel_until", UtcDateTime(), nullable=True),
        sa.Column("time_zone", sa.String(length=60), nullable=False),
        sa.Column("capacity", sa.BigInteger(), nullable=True),
        sa.Column("spare_capacity", sa.BigInteger(), nullable=False),
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        sa.Column("sub_event_rule", sa.String(length=80), nullable=False),
        sa.Column("location", sa.String(length=250), nullable=True),
        sa.Column("online_url", sa.String(length=500), nullable=True),
        sa.Column("category", sa.String(length=80), nullable=True),
        sa.Column("language", sa.String(length=80), nullable=True),
        sa.Column("picture_id", sa.BigInteger(), nullable=True),
        sa.Column("picture_path", sa.String(length=60), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("product_id", sa.BigInteger(), nullable=True),
        sa.Column("survey_id", sa.BigInteger(), nullable=True),
        sa.Column("campaign_id", sa.BigInteger(), nullable=True),
        sa.Column("public_form", sa.Boolean(), nullable=False),
        sa.Column("listing_visible", sa.Boolean(), nullable=False),
        sa.Column("confirm_email", sa.Boolean(), nullable=False),
        sa.Column("show_counts", sa.Boolean(), nullable=False),
        sa.Column("spare_promotion", sa.String(length=80), nullable=False),
        sa.Column("promotion_cutoff_hours", sa.BigInteger(), nullable=False),
        sa.Column("is_full", sa.Boolean(), nullable=False),
        sa.Column("slug", sa.String(length=40), nullable=True),
        sa.Column("public_link", sa.String(length=500), nullable=True),
        sa.Column("cancel_reason", sa.Text(), nullable=True),
        sa.Column("mail_warning", sa.String(length=500), nullable=True),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_mass_events_campaign_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["creator_id"], ["users.id"], name=op.f("fk_mass_events_creator_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["id"], ["entities.id"], name=op.f("fk_mass_events_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["entities.id"], name=op.f("fk_mass_events_owner_id")),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["mass_events.id"], name=op.f("fk_mass_events_parent_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["picture_id"], ["files.id"], name=op.f("fk_mass_events_picture_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_mass_events_product_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["survey_id"], ["surveys.id"], name=op.f("fk_mass_events_survey_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["updater_id"], ["users.id"], name=op.f("fk_mass_events_updater_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mass_events")),
    )
    op.create_index(op.f("ix_mass_events_campaign_id"), "mass_events", ["campaign_id"], unique=False)
    op.create_index(
        "ix_mass_events_created",
        "mass_events",
        ["created_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_mass_events_ends_at",
        "mass_events",
        ["ends_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_mass_events_name",
        "mass_events",
        [fold(sa.column("name")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["name"],
    )
    op.create_index(op.f("ix_mass_events_owner_id"), "mass_events", ["owner_id"], unique=False)
    op.create_index(op.f("ix_mass_events_parent_id"), "mass_events", ["parent_id"], unique=False)
    op.create_index(op.f("ix_mass_events_picture_id"), "mass_events", ["picture_id"], unique=False)
    op.create_index(op.f("ix_mass_events_product_id"), "mass_events", ["product_id"], unique=False)
    op.create_index(
        "ix_mass_events_starts_at",
        "mass_events",
        ["starts_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_mass_events_survey_id"), "mass_events", ["survey_id"], unique=False)
    op.create_index(
        "ix_mass_events_updated",
        "mass_events",
        ["updated_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_mass_events_number",
        "mass_events",
        ["number"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_mass_events_slug",
        "mass_events",
        [fold(sa.column("slug"))],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "opens",
        sa.Column("sendout_id", sa.BigInteger(), nullable=True),
        sa.Column("delivery_id", BigId, nullable=True),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("agent_family", sa.String(length=60), nullable=True),
        sa.Column("ip", sa.String(length=45), nullable=True),
        sa.Column("made_by", sa.String(length=80), nullable=False),
        sa.Column("why", sa.String(length=80), nullable=True),
        sa.Column("delay", sa.BigInteger(), nullable=True),
        sa.Column("signs", sa.String(length=120), nullable=True),
        sa.Column("rules", sa.BigInteger(), nullable=True),
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
        "portal_users",
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("portal_id", sa.BigInteger(), nullable=True),
        sa.Column("profile_id", sa.BigInteger(), nullable=True),
        sa.Column("email", sa.String(length=320), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("is_admin", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(length=80), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("language", sa.String(length=80), nullable=True),
        sa.Column("second_step", sa.Boolean(), nullable=False),
        sa.Column("invited_at", UtcDateTime(), nullable=True),
        sa.Column("confirmed_at", UtcDateTime(), nullable=True),
        sa.Column("last_login_at", UtcDateTime(), nullable=True),
        sa.Column("locked_until", UtcDateTime(), nullable=True),
        sa.Column("login_key", sa.String(length=340), nullable=True),
        sa.Column("place_key", sa.String(length=60), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("password_hash", sa.String(length=255), nullable=True),
        sa.Column("failed_count", sa.Integer(), nullable=True),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contacts.id"], name=op.f("fk_portal_users_contact_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["creator_id"], ["users.id"], name=op.f("fk_portal_users_creator_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["id"], ["entities.id"], name=op.f("fk_portal_users_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["entities.id"], name=op.f("fk_portal_users_owner_id")),
        sa.ForeignKeyConstraint(
            ["portal_id"], ["portals.id"], name=op.f("fk_portal_users_portal_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["portal_profiles.id"], name=op.f("fk_portal_users_profile_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["updater_id"], ["users.id"], name=op.f("fk_portal_users_updater_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_portal_users")),
    )
    op.create_index(op.f("ix_portal_users_contact_id"), "portal_users", ["contact_id"], unique=False)
    op.create_index(
        "ix_portal_users_created",
        "portal_users",
        ["created_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_portal_users_email",
        "portal_users",
        [fold(sa.column("email")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["email"],
    )
    op.create_index(op.f("ix_portal_users_owner_id"), "portal_users", ["owner_id"], unique=False)
    op.create_index(op.f("ix_portal_users_portal_id"), "portal_users", ["portal_id"], unique=False)
    op.create_index(op.f("ix_portal_users_profile_id"), "portal_users", ["profile_id"], unique=False)
    op.create_index(
        "ix_portal_users_updated",
        "portal_users",
        ["updated_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_portal_users_login_key",
        "portal_users",
        [fold(sa.column("login_key"))],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_portal_users_place_key",
        "portal_users",
        [fold(sa.column("place_key"))],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "potentials",
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
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
        sa.Column("first_touch", sa.String(length=200), nullable=True),
        sa.Column("last_touch", sa.String(length=200), nullable=True),
        sa.Column("next_step", sa.String(length=250), nullable=True),
        sa.Column("competitors", sa.String(length=250), nullable=True),
        sa.Column("billing_starts_on", sa.Date(), nullable=True),
        sa.Column("billing_months", sa.BigInteger(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
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
        ["closes_on", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_potentials_contact_id"), "potentials", ["contact_id"], unique=False)
    op.create_index(
        "ix_potentials_created",
        "potentials",
        ["created_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_potentials_lead_id"), "potentials", ["lead_id"], unique=False)
    op.create_index(
        "ix_potentials_name",
        "potentials",
        [fold(sa.column("name")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["name"],
    )
    op.create_index(op.f("ix_potentials_owner_id"), "potentials", ["owner_id"], unique=False)
    op.create_index(
        "ix_potentials_stage",
        "potentials",
        ["stage", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_potentials_updated",
        "potentials",
        ["updated_at", "id", "owner_id"],
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
        "quota_holds",
        sa.Column("sendout_id", BigId, nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["sendout_id"], ["sendouts.id"], name=op.f("fk_quota_holds_sendout_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("sendout_id", name=op.f("pk_quota_holds")),
    )
    op.create_table(
        "scanned_mails",
        sa.Column("id", BigId, nullable=False),
        sa.Column("scanner_id", BigId, nullable=False),
        sa.Column("key", sa.String(length=310), nullable=False),
        sa.Column("message_id", sa.String(length=310), nullable=True),
        sa.Column("folder", sa.String(length=255), nullable=False),
        sa.Column("place", sa.String(length=40), nullable=False),
        sa.Column("sender", sa.String(length=320), nullable=True),
        sa.Column("subject", sa.String(length=500), nullable=True),
        sa.Column("result", sa.String(length=20), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=True),
        sa.Column("ticket_id", BigId, nullable=True),
        sa.Column("comment_id", BigId, nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["comment_id"], ["ticket_comments.id"], name=op.f("fk_scanned_mails_comment_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["scanner_id"], ["mail_scanners.id"], name=op.f("fk_scanned_mails_scanner_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name=op.f("fk_scanned_mails_ticket_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scanned_mails")),
        sa.UniqueConstraint("scanner_id", "key", name=op.f("uq_scanned_mails_scanner_id_key")),
    )
    op.create_index("ix_scanned_mails_message", "scanned_mails", ["message_id"], unique=False)
    op.create_index("ix_scanned_mails_place", "scanned_mails", ["scanner_id", "folder", "place"], unique=False)
    op.create_index("ix_scanned_mails_ticket", "scanned_mails", ["ticket_id"], unique=False)
    op.create_table(
        "score_rules",
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("once_a_day", sa.Boolean(), nullable=False),
        sa.Column("most_points", sa.BigInteger(), nullable=True),
        sa.Column("half_life_days", sa.BigInteger(), nullable=True),
        sa.Column("pattern", sa.String(length=300), nullable=True),
        sa.Column("tracked_page_id", sa.BigInteger(), nullable=True),
        sa.Column("website_form_id", sa.BigInteger(), nullable=True),
        sa.Column("event_id", sa.BigInteger(), nullable=True),
        sa.Column("survey_id", sa.BigInteger(), nullable=True),
        sa.Column("least", Scaled(), nullable=True),
        sa.Column("most", Scaled(), nullable=True),
        sa.Column("source", sa.String(length=80), nullable=True),
        sa.Column(
            "conditions",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
        ),
        sa.Column("problem", sa.String(length=500), nullable=True),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["creator_id"], ["users.id"], name=op.f("fk_score_rules_creator_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["event_id"], ["entities.id"], name=op.f("fk_score_rules_event_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["id"], ["entities.id"], name=op.f("fk_score_rules_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["entities.id"], name=op.f("fk_score_rules_owner_id")),
        sa.ForeignKeyConstraint(
            ["survey_id"], ["surveys.id"], name=op.f("fk_score_rules_survey_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["tracked_page_id"], ["tracked_pages.id"], name=op.f("fk_score_rules_tracked_page_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["updater_id"], ["users.id"], name=op.f("fk_score_rules_updater_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["website_form_id"], ["website_forms.id"], name=op.f("fk_score_rules_website_form_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_score_rules")),
    )
    op.create_index(
        "ix_score_rules_created",
        "score_rules",
        ["created_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_score_rules_event_id"), "score_rules", ["event_id"], unique=False)
    op.create_index(
        "ix_score_rules_name",
        "score_rules",
        [fold(sa.column("name")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["name"],
    )
    op.create_index(op.f("ix_score_rules_owner_id"), "score_rules", ["owner_id"], unique=False)
    op.create_index(op.f("ix_score_rules_survey_id"), "score_rules", ["survey_id"], unique=False)
    op.create_index(op.f("ix_score_rules_tracked_page_id"), "score_rules", ["tracked_page_id"], unique=False)
    op.create_index(
        "ix_score_rules_updated",
        "score_rules",
        ["updated_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_score_rules_website_form_id"), "score_rules", ["website_form_id"], unique=False)
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
        sa.Column("counted", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["sendout_id"], ["sendouts.id"], name=op.f("fk_sendout_contents_sendout_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("sendout_id", name=op.f("pk_sendout_contents")),
    )
    op.create_table(
        "sendout_documents",
        sa.Column("id", BigId, nullable=False),
        sa.Column("sendout_id", BigId, nullable=False),
        sa.Column("person_module", sa.String(length=40), nullable=False),
        sa.Column("person_id", BigId, nullable=False),
        sa.Column("contact_id", BigId, nullable=True),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("media_type", sa.String(length=120), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["entities.id"], name=op.f("fk_sendout_documents_contact_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["entities.id"], name=op.f("fk_sendout_documents_person_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["sendout_id"], ["sendouts.id"], name=op.f("fk_sendout_documents_sendout_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sendout_documents")),
    )
    op.create_index(op.f("ix_sendout_documents_contact_id"), "sendout_documents", ["contact_id"], unique=False)
    op.create_index(op.f("ix_sendout_documents_person_id"), "sendout_documents", ["person_id"], unique=False)
    op.create_index("ix_sendout_documents_sendout", "sendout_documents", ["sendout_id", "person_id"], unique=False)
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
        "sendout_people",
        sa.Column("id", BigId, nullable=False),
        sa.Column("about_id", BigId, nullable=False),
        sa.Column("email_template_id", BigId, nullable=False),
        sa.Column("occurrence", sa.BigInteger(), nullable=False),
        sa.Column("sendout_id", BigId, nullable=True),
        sa.Column("person_module", sa.String(length=40), nullable=False),
        sa.Column("person_id", BigId, nullable=False),
        sa.Column("contact_id", BigId, nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["about_id"], ["entities.id"], name=op.f("fk_sendout_people_about_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["entities.id"], name=op.f("fk_sendout_people_contact_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["email_template_id"],
            ["email_templates.id"],
            name=op.f("fk_sendout_people_email_template_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["entities.id"], name=op.f("fk_sendout_people_person_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["sendout_id"], ["sendouts.id"], name=op.f("fk_sendout_people_sendout_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sendout_people")),
    )
    op.create_index(op.f("ix_sendout_people_contact_id"), "sendout_people", ["contact_id"], unique=False)
    op.create_index(op.f("ix_sendout_people_email_template_id"), "sendout_people", ["email_template_id"], unique=False)
    op.create_index(op.f("ix_sendout_people_person_id"), "sendout_people", ["person_id"], unique=False)
    op.create_index("ix_sendout_people_sendout", "sendout_people", ["sendout_id", "person_id"], unique=False)
    op.create_index(
        "uq_sendout_people_once",
        "sendout_people",
        ["about_id", "email_template_id", "person_id", "occurrence"],
        unique=True,
    )
    op.create_table(
        "sendout_versions",
        sa.Column("sendout_id", BigId, autoincrement=False, nullable=False),
        sa.Column("language", sa.String(length=40), nullable=False),
        sa.Column("compiled", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["sendout_id"], ["sendouts.id"], name=op.f("fk_sendout_versions_sendout_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("sendout_id", "language", name=op.f("pk_sendout_versions")),
    )
    op.create_table(
        "sr_feedback",
        sa.Column("request_id", sa.BigInteger(), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("rate", sa.BigInteger(), nullable=False),
        sa.Column("classification", sa.String(length=80), nullable=False),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("id", BigId, nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contacts.id"], name=op.f("fk_sr_feedback_contact_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["request_id"], ["service_requests.id"], name=op.f("fk_sr_feedback_request_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sr_feedback")),
    )
    op.create_index(op.f("ix_sr_feedback_contact_id"), "sr_feedback", ["contact_id"], unique=False)
    op.create_index(op.f("ix_sr_feedback_request_id"), "sr_feedback", ["request_id"], unique=False)
    op.create_index("uq_sr_feedback_request", "sr_feedback", ["request_id", "contact_id"], unique=True)
    op.create_table(
        "sr_notes",
        sa.Column("request_id", sa.BigInteger(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("contact_id", sa.BigInteger(), nullable=True),
        sa.Column("author_name", sa.String(length=160), nullable=True),
        sa.Column("is_internal", sa.Boolean(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("id", BigId, nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contacts.id"], name=op.f("fk_sr_notes_contact_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["request_id"], ["service_requests.id"], name=op.f("fk_sr_notes_request_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sr_notes_user_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sr_notes")),
    )
    op.create_index(op.f("ix_sr_notes_contact_id"), "sr_notes", ["contact_id"], unique=False)
    op.create_index("ix_sr_notes_of", "sr_notes", ["request_id", "at", "id"], unique=False)
    op.create_index(op.f("ix_sr_notes_request_id"), "sr_notes", ["request_id"], unique=False)
    op.create_table(
        "sr_steps",
        sa.Column("request_id", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.String(length=80), nullable=False),
        sa.Column("category_id", sa.BigInteger(), nullable=True),
        sa.Column("category_path", sa.String(length=500), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("by_id", sa.BigInteger(), nullable=True),
        sa.Column("asked_at", UtcDateTime(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("needs_acceptance", sa.Boolean(), nullable=False),
        sa.Column("accepted_at", UtcDateTime(), nullable=True),
        sa.Column("accepted_by_id", sa.BigInteger(), nullable=True),
        sa.Column("accepted_how", sa.String(length=80), nullable=True),
        sa.Column("rejected_at", UtcDateTime(), nullable=True),
        sa.Column("rejection", sa.Text(), nullable=True),
        sa.Column("edition", sa.BigInteger(), nullable=True),
        sa.Column("correction", sa.String(length=300), nullable=True),
        sa.Column("id", BigId, nullable=False),
        sa.ForeignKeyConstraint(
            ["accepted_by_id"], ["contacts.id"], name=op.f("fk_sr_steps_accepted_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["by_id"], ["users.id"], name=op.f("fk_sr_steps_by_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["category_id"], ["sr_categories.id"], name=op.f("fk_sr_steps_category_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["request_id"], ["service_requests.id"], name=op.f("fk_sr_steps_request_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sr_steps")),
    )
    op.create_index(op.f("ix_sr_steps_accepted_by_id"), "sr_steps", ["accepted_by_id"], unique=False)
    op.create_index(op.f("ix_sr_steps_category_id"), "sr_steps", ["category_id"], unique=False)
    op.create_index("ix_sr_steps_of", "sr_steps", ["request_id", "step", "id"], unique=False)
    op.create_index(op.f("ix_sr_steps_request_id"), "sr_steps", ["request_id"], unique=False)
    op.create_table(
        "survey_files",
        sa.Column("file_id", BigId, autoincrement=False, nullable=False),
        sa.Column("survey_id", BigId, nullable=False),
        sa.Column("came_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["files.id"], name=op.f("fk_survey_files_file_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["survey_id"], ["surveys.id"], name=op.f("fk_survey_files_survey_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("file_id", name=op.f("pk_survey_files")),
    )
    op.create_index(op.f("ix_survey_files_came_at"), "survey_files", ["came_at"], unique=False)
    op.create_index(op.f("ix_survey_files_survey_id"), "survey_files", ["survey_id"], unique=False)
    op.create_table(
        "survey_invitations",
        sa.Column("survey_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("delivery_id", BigId, nullable=True),
        sa.Column("way", sa.String(length=80), nullable=False),
        sa.Column("subject_id", BigId, nullable=True),
        sa.Column("invited_at", UtcDateTime(), nullable=True),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("opened_at", UtcDateTime(), nullable=True),
        sa.Column("started_at", UtcDateTime(), nullable=True),
        sa.Column("completed_at", UtcDateTime(), nullable=True),
        sa.Column("is_answered", sa.Boolean(), nullable=False),
        sa.Column("id", BigId, nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["deliveries.id"], name=op.f("fk_survey_invitations_delivery_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["entities.id"], name=op.f("fk_survey_invitations_person_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["subject_id"], ["entities.id"], name=op.f("fk_survey_invitations_subject_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["survey_id"], ["surveys.id"], name=op.f("fk_survey_invitations_survey_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_survey_invitations")),
        sa.UniqueConstraint("survey_id", "delivery_id", name=op.f("uq_survey_invitations_survey_id_delivery_id")),
    )
    op.create_index(op.f("ix_survey_invitations_delivery_id"), "survey_invitations", ["delivery_id"], unique=False)
    op.create_index(op.f("ix_survey_invitations_person_id"), "survey_invitations", ["person_id"], unique=False)
    op.create_index(op.f("ix_survey_invitations_subject_id"), "survey_invitations", ["subject_id"], unique=False)
    op.create_index(op.f("ix_survey_invitations_survey_id"), "survey_invitations", ["survey_id"], unique=False)
    op.create_table(
        "survey_pages",
        sa.Column("survey_id", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("visible_if", Json, nullable=True),
        sa.Column("jumps", Json, nullable=False),
        sa.Column("translations", Json, nullable=False),
        sa.Column("id", BigId, nullable=False),
        sa.ForeignKeyConstraint(
            ["survey_id"], ["surveys.id"], name=op.f("fk_survey_pages_survey_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_survey_pages")),
        sa.UniqueConstraint("survey_id", "place", name=op.f("uq_survey_pages_survey_id_place")),
    )
    op.create_index(op.f("ix_survey_pages_survey_id"), "survey_pages", ["survey_id"], unique=False)
    op.create_table(
        "survey_reactions",
        sa.Column("id", BigId, nullable=False),
        sa.Column("survey_id", BigId, nullable=False),
        sa.Column("condition", Json, nullable=True),
        sa.Column("deed", sa.String(length=20), nullable=False),
        sa.Column("campaign_id", BigId, nullable=True),
        sa.Column("words", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_survey_reactions_campaign_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["survey_id"], ["surveys.id"], name=op.f("fk_survey_reactions_survey_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_survey_reactions")),
    )
    op.create_index(op.f("ix_survey_reactions_campaign_id"), "survey_reactions", ["campaign_id"], unique=False)
    op.create_index(op.f("ix_survey_reactions_survey_id"), "survey_reactions", ["survey_id"], unique=False)
    op.create_table(
        "ticket_comment_files",
        sa.Column("comment_id", BigId, nullable=False),
        sa.Column("file_id", BigId, nullable=False),
        sa.ForeignKeyConstraint(
            ["comment_id"], ["ticket_comments.id"], name=op.f("fk_ticket_comment_files_comment_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["file_id"], ["files.id"], name=op.f("fk_ticket_comment_files_file_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("comment_id", "file_id", name=op.f("pk_ticket_comment_files")),
    )
    op.create_index(op.f("ix_ticket_comment_files_file_id"), "ticket_comment_files", ["file_id"], unique=False)
    op.create_table(
        "ticket_mails",
        sa.Column("id", BigId, nullable=False),
        sa.Column("ticket_id", BigId, nullable=False),
        sa.Column("comment_id", BigId, nullable=True),
        sa.Column("delivery_id", BigId, nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("email_key", sa.String(), nullable=False),
        sa.Column("is_automatic", sa.Boolean(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["comment_id"], ["ticket_comments.id"], name=op.f("fk_ticket_mails_comment_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_mails_ticket_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_mails")),
        sa.UniqueConstraint("message_id", name=op.f("uq_ticket_mails_message_id")),
    )
    op.create_index(op.f("ix_ticket_mails_delivery_id"), "ticket_mails", ["delivery_id"], unique=False)
    op.create_index("ix_ticket_mails_ticket", "ticket_mails", ["ticket_id", "at"], unique=False)
    op.create_index("ix_ticket_mails_to", "ticket_mails", ["email_key", "at"], unique=False)
    op.create_table(
        "touches",
        sa.Column("person_id", BigId, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("label", sa.String(length=200), nullable=False),
        sa.Column("campaign", sa.String(length=150), nullable=True),
        sa.Column("detail", sa.String(length=300), nullable=True),
        sa.Column("sendout_id", sa.BigInteger(), nullable=True),
        sa.Column("campaign_id", sa.BigInteger(), nullable=True),
        sa.Column("ref", sa.BigInteger(), nullable=False),
        sa.Column("id", BigId, nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_touches_campaign_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["person_id"], ["entities.id"], name=op.f("fk_touches_person_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["sendout_id"], ["sendouts.id"], name=op.f("fk_touches_sendout_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_touches")),
    )
    op.create_index(op.f("ix_touches_campaign_id"), "touches", ["campaign_id"], unique=False)
    op.create_index("ix_touches_person_at", "touches", ["person_id", "at"], unique=False)
    op.create_index(op.f("ix_touches_sendout_id"), "touches", ["sendout_id"], unique=False)
    op.create_index("uq_touches_once", "touches", ["kind", "ref"], unique=True)
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
    op.create_table(
        "visits",
        sa.Column("site_id", BigId, nullable=False),
        sa.Column("visitor_id", BigId, nullable=False),
        sa.Column("person_id", BigId, nullable=True),
        sa.Column("sendout_id", sa.BigInteger(), nullable=True),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=False),
        sa.Column("page_count", sa.BigInteger(), nullable=False),
        sa.Column("is_returning", sa.Boolean(), nullable=False),
        sa.Column("entry", sa.String(length=300), nullable=False),
        sa.Column("exit", sa.String(length=300), nullable=False),
        sa.Column("referrer", sa.String(length=200), nullable=True),
        sa.Column("source", sa.String(length=100), nullable=True),
        sa.Column("medium", sa.String(length=100), nullable=True),
        sa.Column("campaign", sa.String(length=100), nullable=True),
        sa.Column("agent_family", sa.String(length=60), nullable=True),
        sa.Column("ip", sa.String(length=45), nullable=True),
        sa.Column("id", BigId, nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["entities.id"], name=op.f("fk_visits_person_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["sendout_id"], ["sendouts.id"], name=op.f("fk_visits_sendout_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["site_id"], ["tracked_sites.id"], name=op.f("fk_visits_site_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["visitor_id"], ["visitors.id"], name=op.f("fk_visits_visitor_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visits")),
    )
    op.create_index(
        "ix_visits_person_started",
        "visits",
        ["person_id", "started_at"],
        unique=False,
        sqlite_where=sa.text("person_id IS NOT NULL"),
        postgresql_where=sa.text("person_id IS NOT NULL"),
    )
    op.create_index(op.f("ix_visits_sendout_id"), "visits", ["sendout_id"], unique=False)
    op.create_index("ix_visits_site_ended", "visits", ["site_id", "ended_at"], unique=False)
    op.create_index(
        "ix_visits_site_known",
        "visits",
        ["site_id", "started_at", "person_id", "page_count"],
        unique=False,
        sqlite_where=sa.text("person_id IS NOT NULL"),
        postgresql_where=sa.text("person_id IS NOT NULL"),
    )
    op.create_index("ix_visits_site_started", "visits", ["site_id", "started_at"], unique=False)
    op.create_index("ix_visits_visitor_ended", "visits", ["visitor_id", "ended_at"], unique=False)
    op.create_table(
        "website_form_fields",
        sa.Column("form_id", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("label", sa.String(length=200), nullable=True),
        sa.Column("help", sa.String(length=300), nullable=True),
        sa.Column("required", sa.Boolean(), nullable=False),
        sa.Column("translations", Json, nullable=False),
        sa.Column("id", BigId, nullable=False),
        sa.ForeignKeyConstraint(
            ["form_id"], ["website_forms.id"], name=op.f("fk_website_form_fields_form_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_website_form_fields")),
        sa.UniqueConstraint("form_id", "name", name=op.f("uq_website_form_fields_form_id_name")),
    )
    op.create_index(op.f("ix_website_form_fields_form_id"), "website_form_fields", ["form_id"], unique=False)
    op.create_table(
        "cases",
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("title", sa.String(length=255), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("tags", sa.String(length=500), nullable=True),
        sa.Column("restricted", sa.Boolean(), nullable=False),
        sa.Column("notify", sa.Boolean(), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.Column("event_id", sa.BigInteger(), nullable=True),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", Json, nullable=False),
        sa.ForeignKeyConstraint(["creator_id"], ["users.id"], name=op.f("fk_cases_creator_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["event_id"], ["invitation_events.id"], name=op.f("fk_cases_event_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["id"], ["entities.id"], name=op.f("fk_cases_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["entities.id"], name=op.f("fk_cases_owner_id")),
        sa.ForeignKeyConstraint(["updater_id"], ["users.id"], name=op.f("fk_cases_updater_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cases")),
    )
    op.create_index(
        "ix_cases_closed",
        "cases",
        ["closed", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_cases_created",
        "cases",
        ["created_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_cases_event_id"), "cases", ["event_id"], unique=False)
    op.create_index(op.f("ix_cases_owner_id"), "cases", ["owner_id"], unique=False)
    op.create_index(
        "ix_cases_title",
        "cases",
        [fold(sa.column("title")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["title"],
    )
    op.create_index(
        "ix_cases_updated",
        "cases",
        ["updated_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_cases_number",
        "cases",
        ["number"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "event_times",
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=True),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.Column("id", BigId, nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"], ["invitation_events.id"], name=op.f("fk_event_times_event_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_times")),
    )
    op.create_index(op.f("ix_event_times_event_id"), "event_times", ["event_id"], unique=False)
    op.create_table(
        "event_triggers",
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.String(length=150), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("sub_event_id", sa.BigInteger(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("action", sa.String(length=80), nullable=False),
        sa.Column("template_id", sa.BigInteger(), nullable=True),
        sa.Column("target", sa.String(length=80), nullable=False),
        sa.Column("attendee_roles", KeySet(), nullable=True),
        sa.Column("personnel_roles", KeySet(), nullable=True),
        sa.Column("statuses", KeySet(), nullable=True),
        sa.Column(
            "conditions",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
        ),
        sa.Column("base", sa.String(length=80), nullable=True),
        sa.Column("offset", sa.BigInteger(), nullable=True),
        sa.Column("unit", sa.String(length=80), nullable=True),
        sa.Column("moment", UtcDateTime(), nullable=True),
        sa.Column("activated_at", UtcDateTime(), nullable=True),
        sa.Column("fired_for", UtcDateTime(), nullable=True),
        sa.Column("problem", sa.String(length=300), nullable=True),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("creator_id", sa.BigInteger(), nullable=True),
        sa.Column("updater_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["creator_id"], ["users.id"], name=op.f("fk_event_triggers_creator_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["event_id"], ["mass_events.id"], name=op.f("fk_event_triggers_event_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["id"], ["entities.id"], name=op.f("fk_event_triggers_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["entities.id"], name=op.f("fk_event_triggers_owner_id")),
        sa.ForeignKeyConstraint(
            ["sub_event_id"], ["mass_events.id"], name=op.f("fk_event_triggers_sub_event_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["template_id"], ["email_templates.id"], name=op.f("fk_event_triggers_template_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["updater_id"], ["users.id"], name=op.f("fk_event_triggers_updater_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_triggers")),
    )
    op.create_index(
        "ix_event_triggers_created",
        "event_triggers",
        ["created_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_event_triggers_event_id"), "event_triggers", ["event_id"], unique=False)
    op.create_index(
        "ix_event_triggers_name",
        "event_triggers",
        [fold(sa.column("name")), "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_include=["name"],
    )
    op.create_index(op.f("ix_event_triggers_owner_id"), "event_triggers", ["owner_id"], unique=False)
    op.create_index(op.f("ix_event_triggers_sub_event_id"), "event_triggers", ["sub_event_id"], unique=False)
    op.create_index(op.f("ix_event_triggers_template_id"), "event_triggers", ["template_id"], unique=False)
    op.create_index(
        "ix_event_triggers_updated",
        "event_triggers",
        ["updated_at", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "form_files",
        sa.Column("file_id", BigId, autoincrement=False, nullable=False),
        sa.Column("submission_id", BigId, nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["files.id"], name=op.f("fk_form_files_file_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["form_submissions.id"], name=op.f("fk_form_files_submission_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("file_id", name=op.f("pk_form_files")),
    )
    op.create_index(op.f("ix_form_files_submission_id"), "form_files", ["submission_id"], unique=False)
    op.create_table(
        "page_views",
        sa.Column("site_id", BigId, nullable=False),
        sa.Column("visit_id", BigId, nullable=False),
        sa.Column("visitor_id", BigId, nullable=False),
        sa.Column("person_id", BigId, nullable=True),
        sa.Column("nonce", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("path", sa.String(length=300), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=True),
        sa.Column("name", sa.String(length=100), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("seconds", sa.BigInteger(), nullable=False),
        sa.Column("is_returned", sa.Boolean(), nullable=False),
        sa.Column("id", BigId, nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["entities.id"], name=op.f("fk_page_views_person_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["visit_id"], ["visits.id"], name=op.f("fk_page_views_visit_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_page_views")),
    )
    op.create_index(
        "ix_page_views_person_at",
        "page_views",
        ["person_id", "at"],
        unique=False,
        sqlite_where=sa.text("person_id IS NOT NULL"),
        postgresql_where=sa.text("person_id IS NOT NULL"),
    )
    op.create_index("ix_page_views_visit", "page_views", ["visit_id"], unique=False)
    op.create_index("ix_page_views_visitor_path", "page_views", ["visitor_id", "path"], unique=False)
    op.create_index("uq_page_views_visitor_nonce", "page_views", ["visitor_id", "nonce"], unique=True)
    op.create_table(
        "score_parts",
        sa.Column("person_id", BigId, nullable=False),
        sa.Column("rule_id", BigId, nullable=False),
        sa.Column("event_count", sa.Integer(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("worth", sa.BigInteger(), nullable=False),
        sa.Column("first_at", UtcDateTime(), nullable=False),
        sa.Column("last_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["entities.id"], name=op.f("fk_score_parts_person_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["rule_id"], ["score_rules.id"], name=op.f("fk_score_parts_rule_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("person_id", "rule_id", name=op.f("pk_score_parts")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_score_parts_rule", "score_parts", ["rule_id"], unique=False)
    op.create_table(
        "sr_note_files",
        sa.Column("note_id", BigId, nullable=False),
        sa.Column("file_id", BigId, nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["files.id"], name=op.f("fk_sr_note_files_file_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["note_id"], ["sr_notes.id"], name=op.f("fk_sr_note_files_note_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("note_id", "file_id", name=op.f("pk_sr_note_files")),
    )
    op.create_index(op.f("ix_sr_note_files_file_id"), "sr_note_files", ["file_id"], unique=False)
    op.create_table(
        "survey_questions",
        sa.Column("survey_id", sa.BigInteger(), nullable=False),
        sa.Column("page_id", BigId, nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("title", sa.String(length=500), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("required", sa.Boolean(), nullable=False),
        sa.Column("visible", sa.Boolean(), nullable=False),
        sa.Column("visible_if", Json, nullable=True),
        sa.Column("enable_if", Json, nullable=True),
        sa.Column("required_if", Json, nullable=True),
        sa.Column("options", Json, nullable=False),
        sa.Column("settings", Json, nullable=False),
        sa.Column("mapping", Json, nullable=True),
        sa.Column("translations", Json, nullable=False),
        sa.Column("id", BigId, nullable=False),
        sa.ForeignKeyConstraint(
            ["page_id"], ["survey_pages.id"], name=op.f("fk_survey_questions_page_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["survey_id"], ["surveys.id"], name=op.f("fk_survey_questions_survey_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_survey_questions")),
        sa.UniqueConstraint("survey_id", "name", name=op.f("uq_survey_questions_survey_id_name")),
    )
    op.create_index(op.f("ix_survey_questions_page_id"), "survey_questions", ["page_id"], unique=False)
    op.create_index(op.f("ix_survey_questions_survey_id"), "survey_questions", ["survey_id"], unique=False)
    op.create_table(
        "survey_responses",
        sa.Column("survey_id", sa.BigInteger(), nullable=False),
        sa.Column("edition", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("invitation_id", BigId, nullable=True),
        sa.Column("once", BigId, nullable=True),
        sa.Column("status", sa.String(length=80), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=True),
        sa.Column("completed_at", UtcDateTime(), nullable=True),
        sa.Column("completed_on", sa.Date(), nullable=True),
        sa.Column("language", sa.String(length=80), nullable=True),
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("subject_id", BigId, nullable=True),
        sa.Column("sendout_id", sa.BigInteger(), nullable=True),
        sa.Column("flag", sa.String(length=200), nullable=True),
        sa.Column("draft", Json, nullable=True),
        sa.Column("troubles", Json, nullable=False),
        sa.Column("id", BigId, nullable=False),
        sa.ForeignKeyConstraint(
            ["invitation_id"],
            ["survey_invitations.id"],
            name=op.f("fk_survey_responses_invitation_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["entities.id"], name=op.f("fk_survey_responses_person_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["sendout_id"], ["sendouts.id"], name=op.f("fk_survey_responses_sendout_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["subject_id"], ["entities.id"], name=op.f("fk_survey_responses_subject_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["survey_id"], ["surveys.id"], name=op.f("fk_survey_responses_survey_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_survey_responses")),
        sa.UniqueConstraint("once", name=op.f("uq_survey_responses_once")),
    )
    op.create_index(op.f("ix_survey_responses_invitation_id"), "survey_responses", ["invitation_id"], unique=False)
    op.create_index("ix_survey_responses_person", "survey_responses", ["person_id", "completed_at"], unique=False)
    op.create_index(op.f("ix_survey_responses_person_id"), "survey_responses", ["person_id"], unique=False)
    op.create_index(op.f("ix_survey_responses_sendout_id"), "survey_responses", ["sendout_id"], unique=False)
    op.create_index(op.f("ix_survey_responses_subject_id"), "survey_responses", ["subject_id"], unique=False)
    op.create_index(op.f("ix_survey_responses_survey_id"), "survey_responses", ["survey_id"], unique=False)
    op.create_index(
        "ix_survey_responses_survey_status", "survey_responses", ["survey_id", "status", "completed_on"], unique=False
    )
    op.create_table(
        "survey_answers",
        sa.Column("survey_id", sa.BigInteger(), nullable=False),
        sa.Column("response_id", BigId, nullable=False),
        sa.Column("question_id", BigId, nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("part", sa.String(length=80), nullable=False),
        sa.Column("choice", sa.String(length=80), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("score", Scaled(), nullable=True),
        sa.Column("file_id", sa.BigInteger(), nullable=True),
        sa.Column("id", BigId, nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["files.id"], name=op.f("fk_survey_answers_file_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["person_id"], ["entities.id"], name=op.f("fk_survey_answers_person_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["question_id"], ["survey_questions.id"], name=op.f("fk_survey_answers_question_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["response_id"], ["survey_responses.id"], name=op.f("fk_survey_answers_response_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["survey_id"], ["surveys.id"], name=op.f("fk_survey_answers_survey_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_survey_answers")),
    )
    op.create_index("ix_survey_answers_counted", "survey_answers", ["question_id", "part", "choice"], unique=False)
    op.create_index(op.f("ix_survey_answers_file_id"), "survey_answers", ["file_id"], unique=False)
    op.create_index("ix_survey_answers_person", "survey_answers", ["person_id", "question_id"], unique=False)
    op.create_index(op.f("ix_survey_answers_person_id"), "survey_answers", ["person_id"], unique=False)
    op.create_index(op.f("ix_survey_answers_response_id"), "survey_answers", ["response_id"], unique=False)
    op.create_index("ix_survey_answers_scored", "survey_answers", ["question_id", "score"], unique=False)
    op.create_index(op.f("ix_survey_answers_survey_id"), "survey_answers", ["survey_id"], unique=False)
    op.create_table(
        "trigger_deliveries",
        sa.Column("id", BigId, nullable=False),
        sa.Column("trigger_id", BigId, nullable=False),
        sa.Column("subject_id", BigId, nullable=False),
        sa.Column("seat_version", sa.Integer(), nullable=False),
        sa.Column("delivery_id", BigId, nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subject_id"], ["entities.id"], name=op.f("fk_trigger_deliveries_subject_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["trigger_id"], ["event_triggers.id"], name=op.f("fk_trigger_deliveries_trigger_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trigger_deliveries")),
    )
    op.create_index(op.f("ix_trigger_deliveries_subject_id"), "trigger_deliveries", ["subject_id"], unique=False)
    op.create_index(
        "uq_trigger_deliveries_person", "trigger_deliveries", ["trigger_id", "subject_id", "seat_version"], unique=True
    )
    if dialect == "postgresql":
        for statement in STATISTICS:
            op.execute(statement)
    for statement in TEXT_INDEX[dialect]:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE text_index")
    op.drop_table("trigger_deliveries")
    op.drop_table("survey_answers")
    op.drop_table("survey_responses")
    op.drop_table("survey_questions")
    op.drop_table("sr_note_files")
    op.drop_table("score_parts")
    op.drop_table("page_views")
    op.drop_table("form_files")
    op.drop_table("event_triggers")
    op.drop_table("event_times")
    op.drop_table("cases")
    op.drop_table("website_form_fields")
    op.drop_table("visits")
    op.drop_table("tracked_links")
    op.drop_table("touches")
    op.drop_table("ticket_mails")
    op.drop_table("ticket_comment_files")
    op.drop_table("survey_reactions")
    op.drop_table("survey_pages")
    op.drop_table("survey_invitations")
    op.drop_table("survey_files")
    op.drop_table("sr_steps")
    op.drop_table("sr_notes")
    op.drop_table("sr_feedback")
    op.drop_table("sendout_versions")
    op.drop_table("sendout_people")
    op.drop_table("sendout_files")
    op.drop_table("sendout_documents")
    op.drop_table("sendout_contents")
    op.drop_table("score_rules")
    op.drop_table("scanned_mails")
    op.drop_table("quota_holds")
    op.drop_table("potentials")
    op.drop_table("portal_users")
    op.drop_table("portal_target_group_members")
    op.drop_table("opens")
    op.drop_table("mass_events")
    op.drop_table("invitation_events")
    op.drop_table("form_variants")
    op.drop_table("form_submissions")
    op.drop_table("form_old_keys")
    op.drop_table("form_counts")
    op.drop_table("faq_votes")
    op.drop_table("clicks")
    op.drop_table("autoresponders")
    op.drop_table("website_forms")
    op.drop_table("ticket_comments")
    op.drop_table("target_group_members")
    op.drop_table("surveys")
    op.drop_table("service_requests")
    op.drop_table("sendouts")
    op.drop_table("portal_target_groups")
    op.drop_table("portal_requests")
    op.drop_table("portal_profiles")
    op.drop_table("leads")
    op.drop_table("faqs")
    op.drop_table("certificates")
    op.drop_table("campaign_members")
    op.drop_table("visitor_links")
    op.drop_table("tickets")
    op.drop_table("target_groups")
    op.drop_table("suppressions")
    op.drop_table("sr_rules")
    op.drop_table("sr_areas")
    op.drop_table("portals")
    op.drop_table("mail_scanner_rules")
    op.drop_table("event_personnel")
    op.drop_table("emails")
    op.drop_table("campaigns")
    op.drop_table("attendees")
    op.drop_table("visitors")
    op.drop_table("tracked_pages")
    op.drop_table("sr_types")
    op.drop_table("site_signs")
    op.drop_table("site_counts")
    op.drop_table("public_pictures")
    op.drop_table("imported_runs")
    op.drop_table("import_faults")
    op.drop_table("entity_files")
    op.drop_table("email_templates")
    op.drop_table("document_templates")
    op.drop_table("data_exports")
    op.drop_table("contacts")
    op.drop_table("tracked_sites")
    op.drop_table("survey_themes")
    op.drop_table("sr_statuses")
    op.drop_table("sr_categories")
    op.drop_table("sr_absences")
    op.drop_table("sessions")
    op.drop_table("sender_addresses")
    op.drop_table("returned_mails")
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
    op.drop_table("erasures")
    op.drop_table("editing_marks")
    op.drop_table("delivery_versions")
    op.drop_table("change_log")
    op.drop_table("api_keys")
    op.drop_table("activities")
    op.drop_table("accounts")
    op.drop_table("users")
    op.drop_table("role_profiles")
    op.drop_table("picklist_values")
    op.drop_table("person_codes")
    op.drop_table("opt_ins")
    op.drop_table("merged_records")
    op.drop_table("mail_scanners")
    op.drop_table("mail_runs")
    op.drop_table("jobs")
    op.drop_table("intakes")
    op.drop_table("groups")
    op.drop_table("entity_links")
    op.drop_table("dmarc_rows")
    op.drop_table("deliveries")
    op.drop_table("warm_ups")
    op.drop_table("warm_up_days")
    op.drop_table("troubles")
    op.drop_table("tokens")
    op.drop_table("tls_reports")
    op.drop_table("timetable")
    op.drop_table("ticket_settings")
    op.drop_table("stored_answers")
    op.drop_table("sr_settings")
    op.drop_table("site_settings")
    op.drop_table("sharing_rules")
    op.drop_table("sharing_defaults")
    op.drop_table("sender_domains")
    op.drop_table("score_model")
    op.drop_table("roles")
    op.drop_table("return_mailboxes")
    op.drop_table("rejected_values")
    op.drop_table("provider_paces")
    op.drop_table("profiles")
    op.drop_table("picklists")
    op.drop_table("picklist_version")
    op.drop_table("overlay_version")
    op.drop_table("numbering")
    op.drop_table("mail_workers")
    op.drop_table("mail_servers")
    op.drop_table("mail_portions")
    op.drop_table("mail_months")
    op.drop_table("mail_families")
    op.drop_table("login_failures")
    op.drop_table("leaders")
    op.drop_table("label_texts")
    op.drop_table("keys")
    op.drop_table("identity_stamp")
    op.drop_table("hits")
    op.drop_table("hit_marks")
    op.drop_table("form_posts")
    op.drop_table("entities")
    op.drop_table("dmarc_reports")
    op.drop_table("custom_fields")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION fold(text)")
