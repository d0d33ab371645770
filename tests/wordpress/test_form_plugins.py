"""Each form plugin's documented hook, called with its documented arguments (a stand-in for the plugin; decisions.md 38), makes a lead (M119, M120).

`CUSTOMERHUB_TEST_FORM_PLUGINS` names folders of real plugins to install beside; Contact Form 7 is then the real one everywhere in these tests.
"""

import pytest

LAST, MAIL = "last_name", "email"


def setting(name, label, kind="text", required=False):
    return {"id": name, "field_label": label, "custom_id": name, "field_type": kind, "required": required}


CASES = {
    "gravity_forms": (
        "gravity-forms", "7", {"1.6": LAST, "3": MAIL, "5": "description", "4": "do_not_call"},
        ["1", "1.3", "1.6", "3", "4", "5"],
        ("gform_after_submission", {"id": "55", "form_id": "7", "status": "active", "1.3": "Veera", "1.6": "Virta", "3": "v@virta.example",
                                    "4.1": "A", "4.2": "", "5": "1980-02-29"},
         {"id": 7, "title": "Contact us", "fields": [
             {"__object": {"id": 1, "type": "name", "inputs": [{"id": "1.3"}, {"id": "1.6"}]}},
             {"__object": {"id": 3, "type": "email", "inputs": None}},
             {"__object": {"id": 4, "type": "checkbox", "inputs": [{"id": "4.1"}, {"id": "4.2"}]}},
             {"__object": {"id": 5, "type": "date", "inputs": None}}]}),
    ),
    "ninja_forms": (
        "ninja-forms", "7", {"name_1": LAST, "email_2": MAIL}, ["name_1", "email_2"],
        ("ninja_forms_after_submission", {"form_id": "7", "settings": {"title": "Contact us"}, "extra": [], "actions": {"save": {"sub_id": 9}},
                                          "fields": {"1": {"id": 1, "key": "name_1", "value": "Virta"}, "2": {"id": 2, "key": "email_2", "value": "v@virta.example"}}}),
    ),
    "fluent_forms": (
        "fluent-forms", "7", {"names.last_name": LAST, "email": MAIL}, ["names.first_name", "names.last_name", "email"],
        ("fluentform/submission_inserted", 31, {"names": {"first_name": "Veera", "last_name": "Virta"}, "email": "v@virta.example", "_wp_http_referer": "/"},
         {"__object": {"id": 7, "title": "Contact us"}}),
    ),
    "wpforms": (
        "wpforms", "FORM", {"0.last": LAST, "1": MAIL}, ["0", "0.first", "0.last", "1"],
        ("wpforms_process_complete", {"0": {"id": 0, "type": "name", "value": "Veera Virta", "first": "Veera", "last": "Virta"},
                                      "1": {"id": 1, "type": "email", "value": "v@virta.example"}}, {}, {"id": "FORM", "settings": {"form_title": "Contact us"}}, 0),
    ),
    "wp_libre_form": (
        "wp-libre-form", "FORM", {"name": LAST, "email": MAIL}, ["name", "email"],
        ("wplf_post_validate_submission", {"__object": {"ok": 1, "slug": "contact", "title": "x", "submission_id": "ENTRY", "form_id": "FORM", "success": "Thanks"}}),
    ),
    "elementor_forms": (
        "elementor-forms", "a1b2c3d", {"name": LAST, "email": MAIL}, ["name", "email"],
        ("elementor_pro/forms/new_record", {"__record": {"fields": {"name": {"id": "name", "type": "text", "title": "Name", "value": "Virta", "raw_value": "Virta"},
                                                                      "email": {"id": "email", "type": "email", "value": "v@virta.example"}},
                                                         "settings": {"id": "a1b2c3d", "form_name": "Contact us"}}}, {"__object": {}}),
    ),
}  # fmt: skip

MAKE = {
    "wpforms": """$form = wp_insert_post(['post_type' => 'wpforms', 'post_title' => 'Contact us', 'post_status' => 'publish', 'post_content' => wp_slash(json_encode(
        ['fields' => [['id' => 0, 'type' => 'name', 'label' => 'Name', 'format' => 'first-last', 'required' => '1'], ['id' => 1, 'type' => 'email', 'label' => 'E-mail']]]))]);
        return [$form, 0];""",
    "wp_libre_form": """$form = wp_insert_post(['post_type' => 'wplf-form', 'post_title' => 'Contact us', 'post_status' => 'publish']);
        update_post_meta($form, '_wplf_fields', 'name,email'); update_post_meta($form, '_wplf_required', 'name');
        $entry = wp_insert_post(['post_type' => 'wplf-submission', 'post_title' => 'x', 'post_status' => 'publish']);
        update_post_meta($entry, 'name', 'Virta &amp; O&#039;Neill'); update_post_meta($entry, 'email', 'v@virta.example');
        return [$form, $entry];""",
    "elementor_forms": """$page = wp_insert_post(['post_type' => 'page', 'post_title' => 'Contact', 'post_status' => 'publish']);
        update_post_meta($page, '_elementor_data', wp_slash('[{"id":"1","elements":[{"id":"a1b2c3d","elType":"widget","widgetType":"form","settings":{"form_name":"Contact us",'
            . '"form_fields":[{"custom_id":"name","field_label":"Name","field_type":"text","required":"true"},{"custom_id":"email","field_type":"email"},{"custom_id":"h","field_type":"html"}]}}]}]'));
        return [0, 0];""",
}  # fmt: skip


def filled(said, form, entry):
    """`said` with the numbers that WordPress gave."""
    if isinstance(said, dict):
        return {key: filled(one, form, entry) for key, one in said.items()}
    if isinstance(said, (list, tuple)):
        return [filled(one, form, entry) for one in said]
    return {"FORM": form, "ENTRY": entry}.get(said, said) if isinstance(said, str) else said


@pytest.mark.parametrize("key", CASES)
def test_what_its_hook_tells_becomes_a_lead(wired, key):
    stub, form, map_, names, call = CASES[key]
    wired.site.ask(f"update_option('ch_stubs', '{stub}'); return 1;")
    made, entry = wired.site.ask(MAKE.get(key, "return [0, 0];"))
    form, call = filled(form, made, entry), filled(call, made, entry)
    wired.integrate(source=key, form=str(form), map=map_, fixed={"company": "Virta Oy"})
    seen = wired.site.ask(
        f"$p = CustomerHub\\Forms\\Plugins::get('{key}'); return [$p->isActive(), $p->forms(), array_map(fn($f) => $f->name, $p->fields('{form}')),"
        f" array_map(fn($f) => $f->required, $p->fields('{form}'))];"
    )
    forms = seen[1] if isinstance(seen[1], dict) else dict(enumerate(seen[1]))
    assert (seen[0], str(form) in {str(one) for one in forms}, "Contact us" in forms.values()) == (True, True, True)
    assert (seen[2], seen[3][0]) == (names, True)
    assert wired.site.fire(*call)["status"] == "sent"
    assert wired.site.fire(*call)["status"] == "sent"  # told twice
    wired.site.cron()
    (lead,) = wired.leads()
    assert (lead["last_name"].replace("Virta & O'Neill", "Virta"), lead["email"], lead["company"]) == (
        "Virta",
        "v@virta.example",
        "Virta Oy",
    )
    if key == "gravity_forms":
        assert (lead["description"], lead["do_not_call"]) == ("1980-02-29", True)


def test_a_form_without_integration_is_left_alone_and_a_plugin_that_went_is_said(wired):
    wired.site.ask("update_option('ch_stubs', 'ninja-forms'); return 1;")
    wired.site.fire(*CASES["ninja_forms"][4])
    wired.integrate(source="ninja_forms", form="7", map={}, fixed={"company": "x"})
    wired.site.fire(*CASES["ninja_forms"][4])  # one that maps nothing
    assert wired.states() == []
    wired.integrate(source="fluent_forms", form="7")
    assert wired.site.health()["forms"] == "critical"  # an integration's plugin is not active
    wired.site.ask("CustomerHub\\Integrations::forget(); CustomerHub\\Settings::keep(['form_plugin' => '']); return 1;")
    assert wired.site.health()["forms"] == "critical"
    wired.site.ask("CustomerHub\\Settings::keep(['form_plugin' => 'ninja_forms']); return 1;")
    assert wired.site.health()["forms"] == "good"
