"""The sending ledger: every mail, single or mass, leaves through here. How a room above uses it:

Tables (`deliveries`): `Delivery` (one row a person and mail), `Run` (one row a sendout that is being sent).

1. Register a kind once, when the room is loaded (`kinds.register(Kind("sendout", render, load, refusal, settled, trouble))`);
   what each callable gets and may do stands at `kinds.Kind`. `load` reads what a batch needs in sets, `render` makes the mail
   of one row (`Rendered(envelope, data, message_id)`), `refusal(sendout_id)` is the SQL of "may we send?" for the statement
   that begins the text, `settled` hears of failures in the recording transaction, `trouble` of a run that we paused.
2. A sendout: write its `deliveries` rows (kind, sendout_id, person_module, person_id, contact_id, email, email_key, state
   `waiting` or `skipped` with skip_reason, created_at), then `runs.open_run(session, sendout_id)` in the same transaction.
   `runs.pause_run`, `open_run` (resumes), `cancel_run`, `close_run`; `runs.count_states`, `has_open_rows`, `was_everyone_tried`
   for progress and the end; `runs.resolve(session, delivery_id, "sent" | "failed" | "again")` for an uncertain one.
3. A single mail: `singles.put_letter(session, letter, sender, dedupe_key="…")`, or `put_mail` with a kind of one's own; in the
   caller's transaction, once a dedupe key. `singles.register_letters(secret, signers)` makes the kind `letter` known.
4. A process that sends: `office.PostOffice(engine, transport, Rules(…), app.app_context, name).run(stop)`; the transport from
   `crm.mail.transport.choose`. Its parent, when it saw the process die, calls `workers.bury_named(engine, name)`.

States: see `deliveries`. failed_reason: `hard_bounce` (5.1.x: the address does not exist), `refused_recipient`, `refused_sender`,
`refused_server` (other 5xx, by whose fault), `soft_bounce` (after the last retry), `render` (the mail could not be made),
`uncertain` (resolved as failed). skip_reason: what `refusal` said. Nothing here commits but the office, `workers` and `claim`.
"""
