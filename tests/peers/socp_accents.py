"""How each known SOCP program deviates from the text and from the others, as data.

One `Accent` is one program of the course, measured: how it signs, writes keys and base64, what a
content signature covers, what its users and its servers say and refuse. Nothing here acts;
`socp_crypto`, `socp_client` and `socp_server` read these values. `TEXT` is the letter of version
1.3 wherever the letter decides anything.

Of `g99` and `ari` little more was measured than keys, salts and the order in which a payload is signed; neither
ran. Their users therefore do what the text asks for, under those signatures. The servers of `g99` meet at a
door of their own, by the frames of the text; those of `ari` open a link with a word that nobody else knows, so
that they are not here but in `socp_refused`, beside the bootstrap frames of `g42`, which speaks HTTP to its users.

Logins that have no place in the text (passwords, AUTH frames) are left out, but for the challenge
of `pezhy`, which its users cannot avoid.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Canonical = Literal["ascii", "utf8", "received", "prehash"]
Content = Literal["text", "raw", "raw-hashed", "json", "pipes", "ciphertext"]


@dataclass(frozen=True)
class Crypto:
    """Signatures, keys and base64."""

    salt: Literal[32, "max"] = 32
    accepts: Literal[32, "any", "unchecked"] = "any"
    canonical: Canonical = "ascii"
    key: Literal["der", "b64pem", "pem"] = "der"
    padded: bool = False
    # Whether a `=` is demanded, forbidden or indifferent, in keys and in signatures.
    base64: Literal["lenient", "padded", "bare"] = "lenient"
    content: Content = "text"


@dataclass(frozen=True)
class Question:
    """A request that a program invented, and the answer it waits for."""

    type: str
    answer: str
    field: str
    argument: str = ""  # the payload field that carries what is asked for
    command: str = ""  # or the command line, when the payload holds one


@dataclass(frozen=True)
class UserHabits:
    ids: Literal["uuid", "name", "assigned"] = "uuid"
    to_server: str = "server"  # "": empty; "self": the own id; otherwise this text
    hello_signed: bool = True
    signs: bool = True
    alg: bool = False
    advertises_itself: bool = False
    names_recipient: bool = False  # `to` is the server, an extra `recipient` the user
    float_ts: bool = False
    repeats_envelope: bool = False  # from, to and ts again inside the payload
    says_sender: bool = False
    prompted: bool = False  # must prove its key before it is let in
    lists: Question | None = None
    keys: Question | None = None
    # What it does with a direct message whose content signature is wrong.
    on_bad_content: Literal["refuses", "marks", "ignores"] = "refuses"
    needs_sender: bool = True
    public: Literal["opaque", "clear", "channel", "plain", "per-member"] = "opaque"
    chunk: int = 446
    chunks: Literal["oaep", "opaque"] = "oaep"
    first_index: int = 0
    manifest_signed: bool = False
    frame_ids: bool = False  # every frame has an `id` of its own


@dataclass(frozen=True)
class ServerHabits:
    ids: Literal["uuid", "prefixed"] = "uuid"
    refuses_foreign_ids: bool = False
    path: str = ""
    # How two servers come to have a link.
    join: Literal["stays", "introducer-closes", "joiner-drops"] = "stays"
    links_with: str | None = "SERVER_HELLO_LINK"  # what it says where it dials back, or accepts
    dials_listed: bool = False
    join_payload: tuple[str, ...] = ()  # fields beyond host, port and pubkey
    join_signed: bool = True
    join_to: str = ""  # "": host:port of the introducer
    link_to: str = ""  # "": the id of whom it dials
    link_signed: bool = True
    own_door: bool = False  # servers are heard at another port than users
    only_listens: bool = False  # where it dialled; it speaks on what others open
    shows_key: bool = True
    welcome: Literal["clients", "servers", "users", "own", "server_pub", "none"] = "clients"
    welcome_signed: bool = True
    assigns_new_id: bool = False
    finds_key: tuple[str, ...] = ("pin",)
    announces: bool = True
    dies_of_announce: bool = False
    # Presence.
    gossip: Literal["server", "user", "none"] = "server"
    gossip_key: Literal["meta", "none"] = "meta"
    removes: bool = True
    tells_clients: bool = False
    echoes: bool = False  # sends what servers told it back to all of them
    # Whether it knows that users join the public channel. Two that do not cannot be told from those that do.
    channel: bool = True
    # Delivery.
    ts: Literal["kept", "changed", "orig_ts", "msg_ts", "original_ts"] = "kept"
    local_sender: bool = True
    passes_payload: bool = False  # hands the payload of the user on as it is
    routes_away: bool = True
    checks_content: Literal["no", "own users", "everywhere"] = "no"
    checks_links: bool = True
    suppresses_twins: bool = True
    public: Literal["user", "server", "local", "as-delivery"] = "user"
    public_to_it: bool = True
    files: Literal[
        "user", "server", "signed-server", "wrapped", "typeless", "local", "own",
    ] = "user"
    takes_files: Literal["user", "server", "own", "no"] = "user"
    resigns: bool = False  # puts its own signature under what its users said
    user_sigs: Literal["required", "if-present", "unchecked"] = "if-present"
    # Errors.
    unknown: tuple[str, ...] = ()  # types of the text that it does not know
    unknown_type: bool = True
    unknown_user: bool = True
    name_in_use: Literal["error", "double-encoded", "none"] = "error"
    full_errors: bool = True
    answers_errors: bool = False


@dataclass(frozen=True)
class Accent:
    name: str
    crypto: Crypto = field(default_factory=Crypto)
    user: UserHabits = field(default_factory=UserHabits)
    server: ServerHabits = field(default_factory=ServerHabits)


TEXT = Accent("text", server=ServerHabits(tells_clients=True))

G2 = Accent(
    "g2",
    Crypto(salt="max", canonical="utf8", key="pem", content="raw-hashed"),
    UserHabits(
        to_server="", alg=True, advertises_itself=True, repeats_envelope=True, public="clear",
        on_bad_content="marks", lists=Question("CMD_LIST", "USER_LIST", "users"),
    ),
    ServerHabits(
        refuses_foreign_ids=True, join_to="*", shows_key=False, welcome="none", finds_key=(),
        checks_links=False, gossip="user", ts="changed", passes_payload=True, routes_away=False,
        suppresses_twins=False, files="local", takes_files="no", user_sigs="required",
        unknown=("SERVER_WELCOME", "SERVER_DELIVER"), unknown_user=False, full_errors=False,
        answers_errors=True, links_with=None, channel=False,
    ),
)
G56 = Accent(
    "g56",
    Crypto(salt="max", key="b64pem", base64="bare"),
    UserHabits(to_server="self", chunk=190),
    ServerHabits(
        refuses_foreign_ids=True, join="joiner-drops", welcome="servers", welcome_signed=False,
        finds_key=("servers",), tells_clients=True, local_sender=False, files="wrapped",
        takes_files="no", resigns=True, user_sigs="required", link_signed=False,
    ),
)
G45 = Accent(
    "g45",
    Crypto(salt="max", content="json"),
    UserHabits(
        ids="name", to_server="server_*", hello_signed=False, signs=False, public="channel",
        on_bad_content="marks", manifest_signed=True,
        lists=Question("USER_LIST_REQ", "USER_LIST", "users"),
        keys=Question("USER_DB_GET", "USER_DB_USER", "pubkey", argument="user_id"),
    ),
    ServerHabits(
        ids="prefixed", refuses_foreign_ids=True, join_payload=("role",), join_to="server_*",
        welcome="own", finds_key=("pubkey",), links_with=None, public="server", files="server",
        takes_files="server", user_sigs="unchecked",
    ),
)
G17 = Accent(
    "g17",
    Crypto(salt="max", content="raw"),
    UserHabits(
        to_server="server-1", hello_signed=False, signs=False, public="per-member",
        lists=Question("LIST_REQUEST", "LIST_RESPONSE", "online_users"),
        keys=Question("PUBKEY_REQUEST", "PUBKEY_RESPONSE", "pubkey", argument="user_id"),
    ),
    ServerHabits(
        refuses_foreign_ids=True, join_payload=("ws_uri",), welcome="server_pub",
        finds_key=("server_pub",), links_with=None, ts="orig_ts", channel=False,
        checks_content="everywhere", user_sigs="unchecked", answers_errors=True,
    ),
)
G29 = Accent(
    "g29",
    Crypto(accepts=32, canonical="received", content="ciphertext"),
    UserHabits(
        hello_signed=False, names_recipient=True, on_bad_content="marks", chunks="opaque",
        lists=Question("LIST", "USER_LIST", "users"),
    ),
    ServerHabits(
        path="/chat", welcome="users", links_with=None, announces=False, gossip="none",
        removes=False, ts="changed", suppresses_twins=False, public="local", files="local",
        takes_files="no", user_sigs="required",
        unknown=("USER_ADVERTISE", "USER_REMOVE", "SERVER_ANNOUNCE", "PUBLIC_CHANNEL_ADD"),
        channel=False, unknown_user=False,
        name_in_use="none", full_errors=False, answers_errors=True,
    ),
)
G40 = Accent(
    "g40",
    Crypto(salt="max", key="b64pem", padded=True, base64="padded", content="pipes"),
    UserHabits(
        ids="assigned", to_server="Server", float_ts=True, public="plain", chunk=190,
        keys=Question("PUB_KEY_REQUEST", "PUB_KEY", "recipient_pub", argument="recipient_uuid"),
    ),
    ServerHabits(
        dials_listed=True, links_with=None, ts="original_ts", files="signed-server",
        takes_files="no",
        unknown_type=False, name_in_use="none",
    ),
)
SAMLOVAT = Accent(
    "samlovat",
    Crypto(salt="max", accepts="unchecked", canonical="utf8"),
    UserHabits(
        on_bad_content="ignores",
        lists=Question("CLIENT_COMMAND", "LIST", "online", command="/list"),
    ),
    ServerHabits(
        welcome_signed=False, finds_key=(), checks_links=False, links_with=None, ts="changed",
        public="as-delivery", public_to_it=False, files="typeless", user_sigs="unchecked",
        name_in_use="double-encoded", answers_errors=True, channel=False,
        unknown=("PUBLIC_CHANNEL_ADD",),
    ),
)
ADMIRAL = Accent(
    "admiral",
    Crypto(accepts=32),
    UserHabits(
        hello_signed=False, says_sender=True, on_bad_content="marks", chunk=400, first_index=1,
        lists=Question("CLIENT_CMD", "USER_LIST", "users", command="/list"),
        keys=Question("CLIENT_CMD", "PUBKEY_REPLY", "pubkey", command="/getpub "),
    ),
    ServerHabits(
        join="introducer-closes", join_signed=False, link_to="server", only_listens=True,
        assigns_new_id=True, gossip_key="none",
        finds_key=(), ts="changed", passes_payload=True, checks_content="own users",
        files="typeless", takes_files="no", user_sigs="unchecked", unknown_type=False,
        echoes=True,
    ),
)
PEZHY = Accent(
    "pezhy",
    Crypto(accepts=32, canonical="prehash", content="raw-hashed"),
    UserHabits(prompted=True, on_bad_content="marks"),
    ServerHabits(
        join="introducer-closes", links_with="PEER_HELLO_LINK", welcome="servers",
        finds_key=("servers",), announces=False, dies_of_announce=True, ts="msg_ts",
        checks_content="own users", files="own", takes_files="own", unknown_type=False,
        channel=False,
    ),
)

G99 = Accent(
    "g99",
    Crypto(accepts=32, canonical="utf8", key="b64pem", base64="bare"),
    server=ServerHabits(refuses_foreign_ids=True, tells_clients=True, own_door=True),
)
ARI = Accent(
    "ari",
    Crypto(accepts=32, key="pem", content="raw"),
    UserHabits(frame_ids=True),
    ServerHabits(tells_clients=True),
)

ACCENTS: tuple[Accent, ...] = (
    TEXT, G2, G56, G45, G17, G29, G40, SAMLOVAT, ADMIRAL, PEZHY, G99, ARI,
)
BY_NAME = {accent.name: accent for accent in ACCENTS}
