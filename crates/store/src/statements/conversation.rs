//! Statements on conversations: the threads between numbers of ours and others.

/// What is said of a conversation where it stands, and whose it is.
macro_rules! own_columns {
    () => {
        "c.id, c.tenant_id, c.our_number, c.their_number, c.is_incoming, c.last_at, c.unread, c.first_response, \
         c.responses_sum, c.responses, c.waiting_since, c.is_pinned, c.closed_at, c.version, c.started_at, u.id, \
         u.first_name, u.last_name"
    };
}

/// The columns of a conversation, as `rows/conversation.rs` reads them: the text is that of its last message, which may be
/// gone.
///
/// $2: the time of the reader, for whom contact lists have not ended.
macro_rules! columns {
    () => {
        concat!(
            $crate::statements::conversation::own_columns!(),
            ", CASE c.is_incoming WHEN 1
                 THEN (SELECT i.text FROM incomings i WHERE i.tenant_id = $1 AND i.id = c.last_message)
                 ELSE (SELECT m.text FROM messages m WHERE m.tenant_id = $1 AND m.id = c.last_message) END, ",
            $crate::statements::conversation::name!()
        )
    };
}

/// What a contact list calls the other one; null without a contact. Every living list is looked into by its index of
/// numbers; in the order that is written here, which is why the joins are crossed.
macro_rules! name {
    () => {
        "(SELECT CASE 'name' WHEN LOWER(h.name_a) THEN n.a WHEN LOWER(h.name_b) THEN n.b WHEN LOWER(h.name_c) THEN n.c
              WHEN LOWER(h.name_d) THEN n.d WHEN LOWER(h.name_e) THEN n.e ELSE n.a END
          FROM contacts n CROSS JOIN contact_groups h
          WHERE n.tenant_id = $1 AND h.tenant_id = $1 AND h.id = n.group_id AND n.id =
              (SELECT MIN(k.id) FROM contact_groups g CROSS JOIN contacts k
               WHERE g.tenant_id = $1 AND g.deleted = 0 AND (g.expires_at IS NULL OR g.expires_at > $2)
                   AND k.tenant_id = $1 AND k.group_id = g.id AND k.edition = g.edition
                   AND k.phone = '+' || c.their_number))"
    };
}

/// A conversation with whose it is, unless they are deleted (status 3).
macro_rules! with_user {
    () => {
        "conversations c LEFT JOIN users u ON u.tenant_id = c.tenant_id AND u.id = c.assigned_to AND u.status <> 3"
    };
}

/// What stands in a thread: all between our number ($2, $3) and theirs ($4, $5), each without and with its plus sign.
macro_rules! thread {
    () => {
        "(SELECT 0 AS is_incoming, m.id AS id, m.created_at AS at FROM messages m
          WHERE m.tenant_id = $1 AND m.phone = $5 AND m.sender IN ($2, $3)
          UNION ALL
          SELECT 1 AS is_incoming, i.id AS id, i.received_at AS at FROM incomings i
          WHERE i.tenant_id = $1 AND i.sender IN ($4, $5) AND i.recipient IN ($2, $3)) sub"
    };
}

pub(crate) use {columns, name, own_columns, with_user};

/// The columns of a thread that begins, and the end of the statement until what follows from one that is there.
macro_rules! insert {
    ($values:literal) => {
        concat!(
            "INSERT INTO conversations (tenant_id, id, our_number, their_number, is_incoming, last_at, last_message,
                 unread, waiting_since, responses_sum, responses, is_pinned, version, started_at)
             VALUES ($1, $2, $3, $4, ",
            $values,
            ", 0, 0, 0, 1, $5)
             ON CONFLICT (tenant_id, our_number, their_number) DO UPDATE SET version = conversations.version + 1, "
        )
    };
}

/// What was sent earlier than the last message does not become the last.
macro_rules! last {
    ($is_incoming:literal) => {
        concat!(
            "is_incoming = CASE WHEN $5 >= conversations.last_at THEN ",
            $is_incoming,
            " ELSE conversations.is_incoming END,
             last_message = CASE WHEN $5 >= conversations.last_at THEN $6 ELSE conversations.last_message END,
             last_at = CASE WHEN $5 >= conversations.last_at THEN $5 ELSE conversations.last_at END"
        )
    };
}

/// How long they have waited for an answer by $5; null if they do not wait.
macro_rules! waited {
    () => {
        "CASE WHEN conversations.waiting_since > $5 THEN 0 ELSE $5 - conversations.waiting_since END"
    };
}

super::statements! {
    GET = concat!("SELECT ", columns!(), " FROM ", with_user!(), " WHERE c.tenant_id = $1 AND c.id = $3");
    /// A message of theirs; see `Conversation::with_message` of the domain, with which tests compare it.
    COMES = concat!(insert!("1, $5, $6, 1, $5"), "unread = conversations.unread + 1, closed_at = NULL,
        waiting_since = COALESCE(conversations.waiting_since, $5), ", last!("1"));
    /// A message of ours.
    GOES = concat!(insert!("0, $5, $6, 0, NULL"), "unread = 0, waiting_since = NULL,
        first_response = COALESCE(conversations.first_response, ", waited!(), "),
        responses_sum = conversations.responses_sum + COALESCE(", waited!(), ", 0),
        responses = conversations.responses + CASE WHEN conversations.waiting_since IS NULL THEN 0 ELSE 1 END, ",
        last!("0"));
    /// $3: the version that the change was decided on.
    UPDATE = "UPDATE conversations SET version = $4, assigned_to = $5, is_pinned = $6, unread = $7
              WHERE tenant_id = $1 AND id = $2 AND version = $3 AND closed_at IS NOT DISTINCT FROM $8";
    /// As before, of one that is closed or opened: an index is written when a column of it is named.
    UPDATE_CLOSED = "UPDATE conversations SET version = $4, assigned_to = $5, is_pinned = $6, unread = $7, closed_at = $8
                     WHERE tenant_id = $1 AND id = $2 AND version = $3";
    /// The newest first.
    THREAD = concat!("SELECT sub.is_incoming, sub.id FROM ", thread!(), "
        ORDER BY sub.at DESC, sub.id DESC LIMIT $6 OFFSET $7");
    THREAD_COUNT = concat!("SELECT COUNT(*) FROM ", thread!());
}
