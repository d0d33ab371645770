"""One WordPress and one CRM for all these tests; each begins with an empty outbox, the CRM up, one form and its integration."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests import databases
from tests.apps import build_template
from tests.wordpress.crm import Crm
from tests.wordpress.site import Site

FORM = """[text* your-name] [email* your-email] [text company] [select rating "Hot" "Cold"] [text born] [checkbox news "1"] [submit "Send"]"""
MAP = {"your-name": "last_name", "your-email": "email", "company": "company", "rating": "rating", "news": "do_not_call"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "wordpress" in item.path.parts:
            item.add_marker(pytest.mark.xdist_group("wordpress"))


@pytest.fixture(scope="session")
def installed() -> Iterator[Site]:
    made = Site()
    yield made
    made.close()


@pytest.fixture(scope="session")
def crm_of_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crm]:
    url = databases.create("sqlite", build_template)
    made = Crm(url, tmp_path_factory.mktemp("crm"))
    yield made
    made.close()
    databases.drop(url)


@pytest.fixture
def crm(crm_of_all: Crm) -> Iterator[Crm]:
    crm_of_all.up()
    crm_of_all.empty()
    yield crm_of_all
    crm_of_all.down()


@dataclass
class Wired:
    """A site whose form creates leads."""

    site: Site
    crm: Crm
    form: int

    def integrate(self, **more: Any) -> str:
        """Save an integration as the form of the page does; its id."""
        given = {
            "title": "Contact",
            "source": "contact_form_7",
            "form": str(self.form),
            "module": "leads",
            "map": MAP,
        } | more
        said = json.dumps(given)
        made: str = self.site.ask(f"""$one = json_decode({said!r}, true);
            $fields = CustomerHub\\Crm\\Catalog::fields($one['module']);
            foreach (array_merge(array_values($one['map']), array_keys($one['fixed'] ?? [])) as $f) if (isset($fields[$f])) $one['kinds'][$f] = $fields[$f];
            return CustomerHub\\Integrations::keep($one);""")
        return made

    def send(self, email: str = "veera@virta.example", **values: Any) -> dict[str, Any]:
        given = {"your-name": "Virta", "your-email": email, "company": "Virta Oy"} | {
            name.replace("_", "-"): one for name, one in values.items()
        }
        return self.site.send_form(self.form, given)

    def states(self) -> list[str]:
        return [row["state"] for row in self.site.outbox()]

    def leads(self, **where: Any) -> list[dict[str, Any]]:
        return self.crm.rows("leads", **where)


@pytest.fixture
def site(installed: Site, crm: Crm) -> Iterator[Site]:
    installed.mails.unlink(missing_ok=True)
    (installed.folder / "no-mail").unlink(missing_ok=True)
    said = {
        "base_url": crm.base,
        "api_key": crm.key,
        "form_plugin": "contact_form_7",
        "alert_to": "alerts@example.test",
    }
    installed.ask(f"""global $wpdb;
        require_once ABSPATH . 'wp-admin/includes/plugin.php';
        if (!is_plugin_active('customerhub/customerhub.php')) activate_plugin('customerhub/customerhub.php');
        $wpdb->query('TRUNCATE ' . CustomerHub\\Sending\\Outbox::table());
        CustomerHub\\Sending\\Spill::remove();
        foreach (['integrations', 'settings', 'alerts', 'alert_sent_at', 'reconciliation', 'cron_ran_at'] as $one) delete_option("customerhub_$one");
        delete_option('ch_stubs'); delete_option('ch_loopback'); delete_transient('customerhub_catch_up');
        CustomerHub\\Sending\\Schedule::clear(); CustomerHub\\Sending\\Schedule::set();
        CustomerHub\\Settings::keep(json_decode({json.dumps(said)!r}, true));
        return 1;""")
    yield installed
    assert not installed.notices()


@pytest.fixture
def wired(site: Site, crm: Crm) -> Wired:
    form = site.ask(f"""$found = get_posts(['post_type' => 'wpcf7_contact_form', 'title' => 'Contact us', 'post_status' => 'any']);
        if ($found) return $found[0]->ID;
        wp_set_current_user(1);
        return wpcf7_save_contact_form(['id' => -1, 'title' => 'Contact us', 'form' => {FORM!r}])->id();""")
    made = Wired(site, crm, form)
    made.integrate()
    return made
