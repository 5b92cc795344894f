-- The SQL ledger: a projection of the journal, for people and reports. It can be rebuilt from the
-- journal at any time, and holds nothing that the journal does not.

-- Whose ledger this is.
CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- How far the journal is in these tables: one row, changed in the transaction that adds entries.
CREATE TABLE position (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    lsn     INTEGER NOT NULL, -- the last entry
    batch   INTEGER NOT NULL, -- the batch that holds it
    segment INTEGER NOT NULL, -- the segment of that batch
    start   INTEGER NOT NULL, -- where in the segment it begins
    ending  INTEGER NOT NULL, -- where it ends
    link    INTEGER NOT NULL  -- the sum of its header
) STRICT;

-- The same, shard by shard.
CREATE TABLE shard_position (
    shard         INTEGER PRIMARY KEY,
    seq           INTEGER NOT NULL, -- the last entry of the shard
    chain         BLOB    NOT NULL, -- its hash chain
    business_date INTEGER NOT NULL  -- yyyymmdd, 0 before the first cut-off
) STRICT;

CREATE TABLE entry (
    lsn               INTEGER PRIMARY KEY, -- order in the journal of the node
    shard             INTEGER NOT NULL,
    seq               INTEGER NOT NULL,    -- order in the shard
    chain             BLOB    NOT NULL,
    kind              TEXT    NOT NULL,
    at_ms             INTEGER,             -- since 1970-01-01T00:00:00Z
    business_date     INTEGER NOT NULL,    -- yyyymmdd, 0 before the first cut-off
    terminal          TEXT,
    merchant          TEXT,
    batch             INTEGER,
    stan              INTEGER,
    card              INTEGER,
    amount_fen        INTEGER,
    refusal           TEXT,                -- why not; NULL for what was done
    rrn               TEXT    NOT NULL,    -- F37
    auth_code         TEXT,                -- F38, of approvals
    original_terminal TEXT,                -- for what belongs to another transaction
    original_batch    INTEGER,
    original_stan     INTEGER,
    UNIQUE (shard, seq)
) STRICT;

-- The legs of an entry. They sum to zero in each unit.
CREATE TABLE posting (
    shard   INTEGER NOT NULL,
    seq     INTEGER NOT NULL,
    leg     INTEGER NOT NULL,
    account TEXT    NOT NULL,
    unit    TEXT    NOT NULL, -- 'fen' or 'points'
    amount  INTEGER NOT NULL,
    PRIMARY KEY (shard, seq, leg)
) STRICT, WITHOUT ROWID;

-- What the postings of an account sum to.
CREATE TABLE balance (
    account TEXT    NOT NULL,
    unit    TEXT    NOT NULL,
    amount  INTEGER NOT NULL,
    PRIMARY KEY (account, unit)
) STRICT, WITHOUT ROWID;

CREATE TABLE card (
    id         INTEGER PRIMARY KEY,
    product    INTEGER NOT NULL,
    named      INTEGER NOT NULL, -- 1 if the cardholder is known by name
    status     TEXT    NOT NULL,
    expiry     INTEGER,          -- YYMM; NULL if it never expires
    pan_index  BLOB    NOT NULL, -- keyed digest
    sealed_pan BLOB    NOT NULL  -- ciphertext
) STRICT;

-- Settlements. Batch numbers come round again, so the entry is what names one.
CREATE TABLE terminal_batch (
    shard                INTEGER NOT NULL,
    seq                  INTEGER NOT NULL,
    terminal             TEXT    NOT NULL,
    batch                INTEGER NOT NULL,
    closed_at_ms         INTEGER NOT NULL,
    claimed_debit_fen    INTEGER NOT NULL,
    claimed_debit_count  INTEGER NOT NULL,
    claimed_credit_fen   INTEGER NOT NULL,
    claimed_credit_count INTEGER NOT NULL,
    counted_debit_fen    INTEGER NOT NULL,
    counted_debit_count  INTEGER NOT NULL,
    counted_credit_fen   INTEGER NOT NULL,
    counted_credit_count INTEGER NOT NULL,
    PRIMARY KEY (shard, seq)
) STRICT, WITHOUT ROWID;
