CREATE TABLE manifest (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE sessions (
    session_id INTEGER PRIMARY KEY, opened_ms INTEGER NOT NULL, closed_ms INTEGER, host TEXT, pid INTEGER,
    boot_id TEXT, arena_version TEXT, exit INTEGER);
CREATE TABLE agents (
    agent_id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, display TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('model', 'bot', 'human')), spec TEXT NOT NULL, identity TEXT, fingerprint TEXT);
CREATE TABLE matches (
    match_id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, execution INTEGER NOT NULL DEFAULT 0, game TEXT NOT NULL,
    preset TEXT NOT NULL, config_sha256 TEXT NOT NULL, config TEXT NOT NULL, deal_seed TEXT NOT NULL, seed TEXT NOT NULL,
    deal_id TEXT NOT NULL, block INTEGER NOT NULL, batch_no INTEGER NOT NULL DEFAULT 0, tag TEXT NOT NULL DEFAULT '',
    parent_key TEXT, fork_turn INTEGER, branch INTEGER, chance TEXT, status TEXT NOT NULL DEFAULT 'planned'
        CHECK (status IN ('planned', 'running', 'done', 'void', 'failed')),
    reason TEXT, payoffs TEXT, outcome TEXT, turns INTEGER NOT NULL DEFAULT 0, record_hash TEXT, evidence_hash TEXT,
    estimate_s REAL, started_ms INTEGER, ended_ms INTEGER);
CREATE TABLE seats (
    match_id INTEGER NOT NULL REFERENCES matches, seat_no INTEGER NOT NULL, seat TEXT NOT NULL, role TEXT, side TEXT,
    agent_id INTEGER NOT NULL REFERENCES agents, payoff REAL, n_legal INTEGER NOT NULL DEFAULT 0,
    n_repaired INTEGER NOT NULL DEFAULT 0, n_illegal INTEGER NOT NULL DEFAULT 0, n_refused INTEGER NOT NULL DEFAULT 0,
    n_truncated INTEGER NOT NULL DEFAULT 0, n_timeout INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (match_id, seat_no)) WITHOUT ROWID;
CREATE INDEX seats_agent ON seats (agent_id);
CREATE TABLE messages (hash TEXT PRIMARY KEY, parent TEXT NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE calls (
    call_key TEXT PRIMARY KEY, match_id INTEGER, execution INTEGER NOT NULL DEFAULT 0, turn INTEGER, seat_no INTEGER,
    path TEXT NOT NULL, purpose TEXT NOT NULL, agent_id INTEGER, model_served TEXT, prompt TEXT, params TEXT, shape TEXT,
    reply TEXT, parsed TEXT, reasoning TEXT, finish TEXT, request_id TEXT, tokens_in INTEGER, tokens_cached INTEGER,
    tokens_out INTEGER, tokens_reasoning INTEGER, price_source TEXT, cost_usd REAL, cached INTEGER NOT NULL DEFAULT 0,
    tries INTEGER NOT NULL DEFAULT 1, queue_ms INTEGER, latency_ms INTEGER, started_ms INTEGER, tokens BLOB) WITHOUT ROWID;
CREATE INDEX calls_match ON calls (match_id, turn);
CREATE TABLE call_errors (
    id INTEGER PRIMARY KEY, call_key TEXT NOT NULL, at_ms INTEGER, kind TEXT NOT NULL, status INTEGER,
    retry_after_ms INTEGER, text TEXT);
CREATE TABLE turns (
    match_id INTEGER NOT NULL, turn INTEGER NOT NULL, batch INTEGER NOT NULL, seat_no INTEGER NOT NULL,
    ask_kind TEXT NOT NULL, ask_hash TEXT NOT NULL, ask TEXT NOT NULL, status TEXT NOT NULL, answer TEXT, intent TEXT,
    attempted TEXT, reason TEXT, reasks INTEGER NOT NULL DEFAULT 0, fallback INTEGER NOT NULL DEFAULT 0, memo TEXT,
    origin TEXT NOT NULL DEFAULT 'asked', last_call TEXT, applied INTEGER NOT NULL DEFAULT 0, asked_ms INTEGER,
    decided_ms INTEGER, PRIMARY KEY (match_id, turn)) WITHOUT ROWID;
CREATE TABLE events (
    match_id INTEGER NOT NULL, seq INTEGER NOT NULL, batch INTEGER NOT NULL, kind TEXT NOT NULL, audience TEXT NOT NULL,
    facts TEXT NOT NULL, PRIMARY KEY (match_id, seq)) WITHOUT ROWID;
CREATE TABLE notes (id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, match_id INTEGER, kind TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE superseded (id INTEGER PRIMARY KEY, match_id INTEGER, execution INTEGER, "table" TEXT NOT NULL, row TEXT NOT NULL);
