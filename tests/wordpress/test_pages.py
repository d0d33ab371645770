"""The plugin's pages: first steps, settings, integrations; who may; what visitors get of it (M117, M118)."""

import re

import pytest

from tests.wordpress.test_submissions import post

ADMIN = "/wp-admin/admin.php?page=customerhub"


def test_the_connection_is_tried_and_what_is_wrong_is_said_plainly(wired):
    web = wired.site.log_in()

    def save(**said):
        page = web.get(f"{ADMIN}-settings").text
        given = {
            "base_url": wired.crm.base,
            "api_key": "",
            "form_plugin": "contact_form_7",
            "alert_to": "a@example.test",
        } | said
        return web.post("/wp-admin/admin-post.php", data=_hidden(page, "customerhub_settings") | given).text

    assert "It may create: Leads, Potentials." in save()
    assert "API key not accepted" in save(api_key="ch_00000000_wrongwrongwrongwrongwrong")
    assert "Could not connect" in save(base_url="http://127.0.0.1:9", api_key=wired.crm.key)
    assert "This is no web address" in save(base_url="https://")
    assert "the API base URL is not set" in save(base_url="")
    assert "There is no customerhub at this address" in save(base_url=wired.site.base)
    nothing = wired.crm.make_key({"contacts": ["view"]})[1]
    assert "it may not create anything" in save(api_key=nothing)
    assert "It may create: Leads, Potentials." in save(api_key=wired.crm.key)
    assert (
        wired.site.ask("return CustomerHub\\Settings::tidyUrl(' crm.example.com/api/v1/ ');")
        == "https://crm.example.com"
    )
    kept = wired.site.sql("SELECT option_value FROM wp_options WHERE option_name = 'customerhub_settings'")
    assert wired.crm.key not in kept
    private = wired.site.ask("return CustomerHub\\Crm\\Connection::test()->sentence;", WP_PRIVATE="no")
    assert "private network" in private
    report = web.get(f"{ADMIN}-settings&tab=report").text
    assert "API key: set" in report
    assert wired.crm.key not in report
    assert "(deactivated)" in web.get(f"{ADMIN}-settings").text
    assert "customerhub-settings" in web.get("/wp-admin/plugins.php").text


def _hidden(page, action):
    form = next(
        one for one in re.findall(r"<form method=\"post\".*?</form>", page, re.DOTALL) if f'value="{action}"' in one
    )
    return dict(re.findall(r'<input type="hidden"[^>]*? name="([^"]+)" value="([^"]*)"', form))


def test_an_integration_is_made_with_the_live_fields_and_names_what_is_not_filled(wired):
    web = wired.site.log_in()
    chosen = f"{ADMIN}&edit=new&form=contact_form_7:{wired.form}&module=leads"
    page = web.get(chosen).text
    assert "Last name * (text)" in page
    assert "Possible values: Hot, Warm, Cold." in page
    assert "A valid user id (a number) is needed." in page
    assert page.index(">City (text)") < page.index(">Last name * (text)")
    said = {
        "title": "Quote <b>",
        "active": "1",
        "from[0]": "your-name",
        "map[0]": "last_name",
        "fixed_field[0]": "rating",
        "fixed_value[0]": "Hot",
    }
    done = web.post("/wp-admin/admin-post.php", data=_hidden(page, "customerhub_integration") | said).text
    assert "nothing fills them: Company." in done
    assert "Quote <b>" not in done
    listed = web.get(ADMIN).text
    assert listed.count("row-title") == 2
    wired.send()
    wired.site.cron()
    assert sorted(wired.states()) == ["failed", "sent"]
    assert "company: " in next(row["said"] for row in wired.site.outbox() if row["state"] == "failed")
    done = post(web, listed, "customerhub_remove_integration")
    assert done.text.count("row-title") == 1


def test_pages_and_deeds_need_the_right_and_the_nonce(wired):
    wired.site.ask(
        "if (!username_exists('eve')) wp_create_user('eve', 'eve-password-1', 'eve@example.test'); return 1;"
    )
    for web in (wired.site.web, wired.site.log_in(), _as(wired.site, "eve", "eve-password-1")):
        for name in (
            "settings",
            "reset",
            "integration",
            "remove_integration",
            "resend",
            "remove_submission",
            "send_now",
            "purge",
            "test",
            "reconcile",
        ):
            answer = web.post(
                "/wp-admin/admin-post.php",
                data={"action": f"customerhub_{name}", "_wpnonce": "0000000000", "base_url": "x"},
            )
            assert answer.status_code in (403, 400) or "expired" in answer.text or not answer.text, (
                name,
                answer.status_code,
            )
    assert _as(wired.site, "eve", "eve-password-1").get(f"{ADMIN}-settings").status_code == 403
    assert (
        wired.site.ask("return CustomerHub\\Settings::isComplete() && count(CustomerHub\\Integrations::all()) === 1;")
        is True
    )


def _as(site, name, password):
    import httpx

    web = httpx.Client(base_url=site.base, timeout=60, follow_redirects=True)
    web.get("/wp-login.php")
    web.post("/wp-login.php", data={"log": name, "pwd": password, "testcookie": "1"})
    return web


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        ('[customerhub_form key="abc123def"]', '<script async src="BASE/form/abc123def.js"></script>'),
        ('[customerhub_form key="&quot;><script>"]', ""),
        ('[customerhub_events category="a&b" limit="3"]', "BASE/portal/embed/events?category=a%26b&#038;limit=3"),
        ('[customerhub_survey code="ab12" text="<b>Go"]', ">&lt;b&gt;Go</a>"),
        ('[customerhub_survey code="../x"]', ""),
        ('[customerhub_survey code="https://crm.example.com/s/ab-12_x"]', 'href="BASE/s/ab-12_x"'),
        ('[customerhub_form key="https://crm.example.com/form/abc123def"]', "BASE/form/abc123def.js"),
    ],
)
def test_shortcodes_and_blocks_lead_to_the_crm_and_nowhere_else(site, crm, code, wanted):
    made = site.ask(f"return do_shortcode({code!r});")
    wanted = wanted.replace("BASE", crm.base)
    assert wanted in made if wanted else made == ""
    if '_form key="abc' in code:
        block = '<!-- wp:customerhub/form {"key":"abc123def","className":"wide"} /-->'
        drawn = site.ask(f"return do_blocks({block!r});")
        assert wanted in drawn
        assert re.match('<div class="[^"]*wide', drawn.strip()), "a box of the column"


def test_the_whole_line_of_the_tracking_script_can_be_pasted(site):
    web = site.log_in()
    page = web.get(f"{ADMIN}-settings&tab=website").text
    line = '<script async src="https://crm.example.com/t/0123456789abcdef0123.js"></script>'
    done = web.post("/wp-admin/admin-post.php", data=_hidden(page, "customerhub_website") | {"site_key": line})
    assert 'value="0123456789abcdef0123"' in done.text
    said = _hidden(done.text, "customerhub_website") | {"site_key": "<b>615a</b>"}
    assert "This is no key of a followed site" in web.post("/wp-admin/admin-post.php", data=said).text
    assert site.ask("return CustomerHub\\Settings::get('site_key');") == "0123456789abcdef0123"


def test_the_tracking_script_is_on_pages_of_visitors_only(site):
    assert "/t/" not in site.web.get("/").text
    site.ask("CustomerHub\\Settings::keep(['site_key' => '0123456789abcdef0123']); return 1;")
    assert re.search(r"<script async [^>]*src='http://127.0.0.1:\d+/t/0123456789abcdef0123.js'", site.web.get("/").text)
    assert "/t/0123456789abcdef0123.js" not in site.log_in().get("/").text


def test_its_pages_are_in_finnish_for_who_reads_finnish(site):
    site.ask("update_user_meta(1, 'locale', 'fi'); return 1;")
    try:
        page = site.log_in().get(f"{ADMIN}-settings").text
    finally:
        site.ask("delete_user_meta(1, 'locale'); return 1;")
    assert "Testaa yhteys" in page
    assert "Test connection" not in page


def test_switched_off_it_schedules_nothing_and_deleted_it_leaves_nothing(wired):
    wired.send()
    wired.site.ask("CustomerHub\\Sending\\Spill::put(['a' => 1]); return 1;")
    wired.site.ask(
        "require_once ABSPATH . 'wp-admin/includes/plugin.php'; deactivate_plugins('customerhub/customerhub.php'); return 1;"
    )
    hooks = wired.site.ask("return array_merge(...array_values(array_map('array_keys', _get_cron_array())));")
    assert not [hook for hook in hooks if hook.startswith("customerhub")]
    wired.site.ask(
        "define('WP_UNINSTALL_PLUGIN', 'x'); require WP_PLUGIN_DIR . '/customerhub/uninstall.php'; return 1;"
    )
    assert wired.site.sql("SHOW TABLES LIKE '%customerhub%'") == ""
    assert (
        wired.site.sql(
            "SELECT option_name FROM wp_options WHERE option_name LIKE '%customerhub%' AND option_name <> 'active_plugins'"
        )
        == ""
    )
    assert not list((wired.site.root / "wp-content/uploads").glob("customerhub*"))
