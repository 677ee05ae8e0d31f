"""Every key: name, type, content, life. `lua/prelude.lua` writes the same names; a test compares the two.

All keys of a business carry its tag in braces, so that they lie in one slot of a Redis Cluster.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one business.

    ======================================  ==========  ===================================================
    key                                     type        content · life
    ======================================  ==========  ===================================================
    business:{b}                            hash        version of data, order, last beat · for ever
    migrating:{b}                           string      who migrates the data · 30 s
    message:{b}:id                          hash        a message and its whole life · expiry + retention
    lane:{b}:sender:contact                 sorted set  ids by (priority, order) · while it has members
    held:{b}:group                          sorted set  ids that wait for a window or template · likewise
    waking:{b}                              hash        group being woken → how far · likewise
    ready:{b}:sender:priority:app           sorted set  contact → when its lane may be looked at · likewise
    queues:{b}:sender                       sorted set  `priority:app` → when it may have something · likewise
    placed:{b}:sender                       hash        contact → `priority:app` it is ready in · likewise
    turns:{b}:sender                        hash        how many were claimed, whose turn it was · for ever
    leased:{b}:sender                       sorted set  contact → end of the lease · likewise
    claimed:{b}:sender                      hash        contact → id in hand · likewise
    paused:{b}:sender                       hash        contact → not before (retry, doubt) · likewise
    joining:{b}:sender                      hash        contact → old name still in hand · till it is settled
    claim:{b}:sender:nonce                  string      contacts of a claim, for its repeat · a lease
    expiring:{b}                            sorted set  id → expiry, for all that is not final · likewise
    state:{b}:state                         sorted set  id → since · trimmed to the retention
    unheard:{b}:sender                      sorted set  submitted, no word since: id → since · a day
    window:{b}:sender:contact               string      `last|event|refused` (ms) · until the window ends
    contact:{b}:contact                     hash        version, consent, names · for ever: evidence
    consent_history:{b}:contact             list        words about its consent, the latest 200 · likewise
    consented:{b}                           sorted set  contacts with a consent, by name · likewise
    alias:{b}:name                          string      `contact|since`: who is meant · for ever
    recent:{b}:contact                      sorted set  the latest 1,000 messages both ways · retention
    accepted:{b}:app                        sorted set  id → when it was accepted · trimmed to the retention
    reference:{b}:app:reference             sorted set  the same, by what the app calls it · retention
    closing:{b}:sender                      sorted set  contact with an open window → when to tell · its end
    windowed:{b}                            set         senders with such · while they have
    events:{b}                              stream      what apps are told, as ids · capped
    callback:{b}:app                        hash        place in the stream, failures in a row · for ever
    callback_lane:{b}:app:contact           list        events to push, as ids · while it has members
    callback_ready:{b}:app                  sorted set  contact → when its lane may be looked at · likewise
    callback_tries:{b}:app                  hash        contact → tries of its first event · likewise
    callback_parked:{b}:app                 sorted set  what was given up → since · retention
    callback_bell:{b}:app                   string      somebody pushes to it · 20 s
    inbound:{b}:sender:event                string      what a contact wrote (JSON) · retention
    seen:{b}:sender:event                   string      duplicate's mark · longer than a provider retries
    idem:{b}:app:sender:key                 string      idempotency: fingerprint and answer · 24 h
    template:{b}:account:name:language      hash        a template · until deleted
    templates:{b}:account                   set         its templates · likewise
    template_versions:{b}                   hash        template → latest version, when deleted · for ever
    template_contents:{b}:id                hash        version → content that was replaced · for ever
    template_history:{b}:id                 list        what happened to it, the latest 200 · for ever
    template_sync:{b}:account               hash        how the last reading of its list went · for ever
    template_bell:{b}:account               string      its list is read, or was lately · 15 min
    resting:{b}                             sorted set  template stopped by an error → until · its end
    sender:{b}:sender                       hash        version, halts, circuit, rate · for ever: one a sender
    backlog:{b}                             hash        app → messages that are still owed · for ever
    pair:{b}:sender:contact                 string      `start|count` of a burst (ms) · until it is paid off
    reached:{b}:portfolio                   sorted set  contact → last begin outside its window · two days
    bell:{b}:sender                         string      a doorbell is on its way · 5 s
    ticker:{b}                              string      lock of a beat · 400 ms
    counters:{b}                            hash        what happened how often, by metric · for ever
    quarantine:{b}                          stream      updates that could not be read · capped
    suppressed:{b}                          hash        keyed hash of an erased name → opt-outs · for ever
    erasing:{b}                             hash        who is being erased → since when, names · its end
    resuming:{b}                            string      somebody completes interrupted erasures · 30 min
    forgotten:{b}                           sorted set  keyed hash of an erased update → its end · then
    retention:{b}                           hash        how the walks went, keys of erasures · for ever
    silence:{b}                             hash        how far the silent ones were told, by life · for ever
    reported:{b}                            sorted set  late failures till Flower has them, capped · 1 h
    lapsed:{b}                              hash        the same of what the clock ended, and how many · 1 h
    audit:{b}                               stream      who did what by hand · capped
    once:{b}:nonce                          string      mark of a count or an entry, for its repeat · its PX
    submissions:{b}                         stream      what the Celery door refused · capped
    submitted:{b}:task                      string      mark of a refusal, for its repeat · 24 h
    ======================================  ==========  ===================================================
    """

    business: str

    def _key(self, kind: str, *parts: object) -> str:
        return ":".join((kind, "{" + self.business + "}", *map(str, parts)))

    def root(self) -> str:
        """KEYS[1] of every script."""
        return self._key("business")

    def migrating(self) -> str:
        return self._key("migrating")

    def template_versions(self) -> str:
        return self._key("template_versions")

    def message(self, message_id: object) -> str:
        return self._key("message", message_id)

    def state(self, state: str) -> str:
        return self._key("state", state)

    def unheard(self, sender: str) -> str:
        return self._key("unheard", sender)

    def queues(self, sender: str) -> str:
        return self._key("queues", sender)

    def ready(self, sender: str, priority: int, app: str) -> str:
        return self._key("ready", sender, f"{priority}:{app}")

    def window(self, sender: str, contact: object) -> str:
        return self._key("window", sender, contact)

    def closing(self, sender: str) -> str:
        return self._key("closing", sender)

    def contact(self, contact: object) -> str:
        return self._key("contact", contact)

    def consented(self) -> str:
        return self._key("consented")

    def lane(self, sender: str, contact: object) -> str:
        return self._key("lane", sender, contact)

    def held(self, group: str) -> str:
        return self._key("held", group)

    def recent(self, contact: object) -> str:
        return self._key("recent", contact)

    def alias(self, name: object) -> str:
        return self._key("alias", name)

    def accepted(self, app: str) -> str:
        return self._key("accepted", app)

    def reference(self, app: str, reference: str) -> str:
        return self._key("reference", app, reference)

    def inbound(self, sender: str, event_id: str) -> str:
        return self._key("inbound", sender, event_id)

    def record(self, ref: str) -> str:
        """An inbound message by what the stream of events calls it: sender and event id."""
        return self._key("inbound", ref)

    def events(self) -> str:
        return self._key("events")

    def callback(self, app: str) -> str:
        return self._key("callback", app)

    def callback_ready(self, app: str) -> str:
        return self._key("callback_ready", app)

    def callback_parked(self, app: str) -> str:
        return self._key("callback_parked", app)

    def callback_bell(self, app: str) -> str:
        return self._key("callback_bell", app)

    def idempotency(self, app: str, sender: str, key: str) -> str:
        return self._key("idem", app, sender, key)

    def template(self, template_id: object) -> str:
        return self._key("template", template_id)

    def templates(self, account: str) -> str:
        return self._key("templates", account)

    def template_contents(self, template_id: object) -> str:
        return self._key("template_contents", template_id)

    def template_history(self, template_id: object) -> str:
        return self._key("template_history", template_id)

    def template_sync(self, account: str) -> str:
        return self._key("template_sync", account)

    def template_bell(self, account: str) -> str:
        return self._key("template_bell", account)

    def sender(self, sender: str) -> str:
        return self._key("sender", sender)

    def backlog(self) -> str:
        return self._key("backlog")

    def reached(self, portfolio: str) -> str:
        return self._key("reached", portfolio)

    def counters(self) -> str:
        return self._key("counters")

    def quarantine(self) -> str:
        return self._key("quarantine")

    def retention(self) -> str:
        return self._key("retention")

    def forgotten(self) -> str:
        return self._key("forgotten")

    def callback_tries(self, app: str) -> str:
        return self._key("callback_tries", app)

    def stream(self, kind: str) -> str:
        """`events`, `quarantine`, `submissions`: kinds of which a business has one."""
        return self._key(kind)

    def suppressed(self) -> str:
        return self._key("suppressed")

    def erasing(self) -> str:
        return self._key("erasing")

    def resuming(self) -> str:
        return self._key("resuming")

    def pattern(self, kind: str = "*") -> str:
        """What SCAN takes to find all keys of a kind, or all keys."""
        return self._key(kind) + ("*" if kind == "*" else ":*")

    def silence(self) -> str:
        return self._key("silence")

    def reported(self) -> str:
        return self._key("reported")

    def lapsed(self) -> str:
        return self._key("lapsed")

    def audit(self) -> str:
        return self._key("audit")

    def submissions(self) -> str:
        return self._key("submissions")


def parts_of(key: str) -> tuple[str, str]:
    """The kind of a key, and what stands behind the tag: `sender:contact`, '' for nothing."""
    head, _, rest = key.partition("}")
    return head.partition(":")[0], rest.removeprefix(":")


def window_group(sender: str, contact: object) -> str:
    """What waits for this contact to write to this sender."""
    return f"window:{sender}:{contact}"


def sender_group(sender: str) -> str:
    """What waits until a kind of message may leave from this sender again."""
    return f"sender:{sender}"


def day_group(sender: str) -> str:
    """What waits until the sender's portfolio may reach one more contact."""
    return f"day:{sender}"


def nudge_group(message_id: object) -> str:
    """What waits for the answer to this nudge; woken when it comes to nothing."""
    return f"nudge:{message_id}"


def template_group(template_id: object) -> str:
    return f"template:{template_id}"
