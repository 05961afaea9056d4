//! Media prompts (`/v3/media-prompts`; Convirza platform contract, section 2).

use std::fmt::Write as _;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};
use http::{Method, StatusCode, header};
use muster_domain::media::{
    HEAD, MAX_SIZE, MESSAGE_TYPES, MediaKind, MediaPrompt, MediaPromptPatch, MessageType, Uploaded,
    file_name, limits,
};
use muster_domain::secret::hex;
use muster_domain::session::Subject;
use muster_domain::{
    Ctx, Dialect, Draft, Entity, Error, FieldErrors, MediaPromptId, OrgUnitId, Problem, Slice,
};
use muster_store::Upload;
use serde::Serialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;
use utoipa::openapi::Schema;

use super::envelope::{Time, created, success, words};
use crate::App;
use crate::http::{
    Call, Content, Failure, Fields, File, Form, Outcome, Part, Query, Reply, Schemas, Tag, choice,
    integer_text, required_text, wanted_part,
};

/// The part of the form that is the file.
pub(super) const FILE: &str = "file";

/// A media prompt.
#[derive(Serialize, ToSchema)]
pub(super) struct MediaPromptRow<'a> {
    prompt_id: i64,
    prompt_name: &'a str,
    #[schema(schema_with = message_types)]
    message_type: &'static str,
    org_unit_id: i64,
    file_name: &'a str,
    content_type: &'static str,
    size_bytes: u64,
    /// As far as it can be told.
    duration_seconds: Option<f64>,
    checksum_sha256: String,
    prompt_created: Time,
}

fn message_types() -> Schema {
    words(MESSAGE_TYPES)
}

impl<'a> MediaPromptRow<'a> {
    fn new(prompt: &'a MediaPrompt) -> Self {
        Self {
            prompt_id: prompt.id.0,
            prompt_name: &prompt.name,
            message_type: prompt.message_type.as_str(),
            org_unit_id: prompt.org_unit_id.0,
            file_name: &prompt.file_name,
            content_type: prompt.kind.content_type(),
            size_bytes: prompt.size,
            duration_seconds: prompt.duration.map(|duration| duration.as_secs_f64()),
            checksum_sha256: hex(&prompt.checksum),
            prompt_created: Time(prompt.created_at),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(super) struct MediaPrompts<'a> {
    media_prompts: Vec<MediaPromptRow<'a>>,
    total: u64,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct MediaPromptWritten {
    prompt_id: i64,
}

pub(super) async fn media_prompt_list(call: &mut Call) -> Outcome {
    let (ctx, _) = call.authenticate(Dialect::Convirza).await?;
    let slice = call.query(list)?;
    let page = call.directory().media_prompt_list(&ctx, slice).await?;
    let media_prompts = page.items.iter().map(MediaPromptRow::new).collect();
    success(call, &MediaPrompts { media_prompts, total: page.total })
}

/// Reads how many.
pub(super) fn list(query: &mut Query<'_>) -> Slice {
    query.slice()
}

/// Reads what the form says of the prompt.
pub(super) fn decode(f: &mut Fields<'_>) -> MediaPromptPatch {
    MediaPromptPatch {
        message_type: f.required("message_type", "message_type", choice(MESSAGE_TYPES, &MessageType::ALL)),
        name: f.present("prompt_name", "name", required_text(limits::NAME)),
        org_unit_id: f.present("org_unit_id", "org_unit_id", integer_text()).map(OrgUnitId),
    }
}

pub(super) async fn media_prompt_create(call: &mut Call) -> Outcome {
    let (ctx, _) = call.authenticate(Dialect::Convirza).await?;
    let mut form = call.form(usize::try_from(MAX_SIZE).unwrap_or(usize::MAX)).await?;
    let mut errors = FieldErrors::default();
    let mut uploading = None;
    let app = call.shared_app();
    let outcome = match take(&app, &ctx, &mut form, &mut errors, &mut uploading).await {
        Ok(()) => finish(&app, &ctx, form, errors, &mut uploading).await,
        Err(failure) => Err(failure),
    };
    if outcome.is_err()
        && let Some(Uploading { upload, whole }) = uploading
    {
        // What cannot be removed now is removed later: nothing refers to it.
        if let Some(upload) = upload {
            let _ = upload.abort().await;
        }
        let _ = app.directory.object_remove(&app.media, whole.object).await;
    }
    created(call, &MediaPromptWritten { prompt_id: outcome?.id.0 })
}

/// An object that is being written, or is whole when the upload is gone.
struct Uploading {
    upload: Option<Upload>,
    whole: Uploaded,
}

/// Reads the form to its end and writes its file, if it is one that is taken.
async fn take(
    app: &App,
    ctx: &Ctx,
    form: &mut Form,
    errors: &mut FieldErrors,
    uploading: &mut Option<Uploading>,
) -> Result<(), Failure> {
    let mut files = 0;
    while let Some(mut file) = form.next_file(FILE).await? {
        files += 1;
        if files > 1 {
            errors.push(FILE, Problem::Format("must be there once"));
            file.pass_over().await?;
            continue;
        }
        let mut head = Vec::with_capacity(HEAD);
        while head.len() < HEAD
            && let Some(piece) = file.next().await?
        {
            head.extend_from_slice(&piece);
        }
        let Some(kind) = MediaKind::of(&head) else {
            errors.push(FILE, NO_SOUND);
            file.pass_over().await?;
            continue;
        };
        write(app, ctx, file, kind, head, uploading).await?;
    }
    if files == 0 {
        errors.push(FILE, Problem::Required);
    }
    Ok(())
}

/// Of a file that is none of the kinds, whatever it is called.
const NO_SOUND: Problem =
    Problem::Format("must be a sound file: WAV, MP3, MP4, Ogg, WebM, M4A, AAC (ADTS) or FLAC");

async fn write(
    app: &App,
    ctx: &Ctx,
    mut file: File,
    kind: MediaKind,
    head: Vec<u8>,
    uploading: &mut Option<Uploading>,
) -> Result<(), Failure> {
    let object = app.directory.media_upload_begin(ctx).await?;
    let file_name = file_name(file.name(), kind);
    let whole = Uploaded { object, kind, file_name, size: 0, duration: None, checksum: [0; 32] };
    let Uploading { upload, whole } = uploading.insert(Uploading { upload: None, whole });
    let upload = upload.insert(app.media.begin(&object).await?);
    let mut checksum = Sha256::new();
    let mut next = Some(Bytes::from(head));
    while let Some(piece) = next {
        checksum.update(&piece);
        whole.size += piece.len() as u64;
        upload.write(piece).await?;
        next = file.next().await?;
    }
    whole.checksum = checksum.finalize().into();
    Ok(())
}

/// Makes a prompt of what was read, if nothing of it fails.
async fn finish(
    app: &App,
    ctx: &Ctx,
    form: Form,
    mut errors: FieldErrors,
    uploading: &mut Option<Uploading>,
) -> Result<MediaPrompt, Failure> {
    let Draft { value, errors: of_texts } = form.fields(decode)?;
    for error in of_texts.into_vec() {
        errors.push(error.field, error.problem);
    }
    let (directory, media) = (&app.directory, &app.media);
    let patch = directory.media_prompt_check(ctx, Draft { value, errors }).await.map_err(in_wire_names)?;
    let missing = || Error::field(FILE, Problem::Required);
    let upload = uploading.as_mut().and_then(|uploading| uploading.upload.take()).ok_or_else(missing)?;
    upload.finish().await?;
    // From here on nobody but the store knows whether the object is referred to: what fails leaves it to its mark.
    let mut whole = uploading.take().ok_or_else(missing)?.whole;
    whole.duration = media.duration(&whole.object, whole.kind, whole.size).await;
    directory.media_prompt_create(ctx, patch, whole).await.map_err(in_wire_names)
}

fn in_wire_names(error: Error) -> Failure {
    Failure::named(error, |field| (field == "name").then_some("prompt_name"))
}

pub(super) async fn media_prompt_delete(call: &mut Call) -> Outcome {
    let (ctx, found) = find(call).await?;
    let app = call.shared_app();
    app.directory.media_prompt_delete(&ctx, &found).await?;
    if let Err(error) = app.directory.object_remove(&app.media, found.object).await {
        tracing::warn!(%error, object = %found.object, "an object was not removed; the periodic work tries again");
    }
    success(call, &MediaPromptWritten { prompt_id: found.id.0 })
}

pub(super) async fn media_prompt_content(call: &mut Call) -> Outcome {
    let (ctx, found) = find(call).await?;
    let tag = Tag::strong(hex(&found.checksum));
    let is_known = call.has(&tag);
    let (status, range) = match wanted_part(call.headers(), found.size, &tag) {
        Part::Beyond if !is_known => return Err(Failure::RangeNotSatisfiable { size: found.size }),
        Part::Bytes(range) => (StatusCode::PARTIAL_CONTENT, range),
        Part::Whole | Part::Beyond => (StatusCode::OK, 0..found.size),
    };
    let length = range.end - range.start;
    let content_range = (status == StatusCode::PARTIAL_CONTENT)
        .then(|| format!("bytes {}-{}/{}", range.start, range.end - 1, found.size));
    let app = call.shared_app();
    let pieces = if is_known || call.method() == Method::HEAD {
        stream::empty().boxed()
    } else {
        match app.media.read(&found.object, range).await {
            Ok(pieces) => pieces,
            Err(error) => {
                // It may have been deleted meanwhile.
                app.directory.media_prompt_get(&ctx, found.id).await?;
                return Err(error.into());
            }
        }
    };
    let mut reply = Reply::stream(found.kind.content_type(), status, pieces)
        .headers(&[("accept-ranges", "bytes"), ("x-content-type-options", "nosniff")])
        .header(header::CONTENT_DISPOSITION, disposition(&found.file_name))
        .header(header::CONTENT_LENGTH, length.to_string());
    if let Some(content_range) = content_range {
        reply = reply.header(header::CONTENT_RANGE, content_range);
    }
    Ok(reply.tag(tag))
}

/// What [`media_prompt_content`] answers.
pub(super) fn content(_: &mut Schemas) -> Content {
    MediaKind::ALL.into_iter().map(|kind| (kind.content_type(), json!({}))).collect()
}

/// `Content-Disposition` with a file's name: in plain characters for old clients, and as it is (RFC 6266, RFC 8187).
fn disposition(file_name: &str) -> String {
    let is_plain = |character: char| {
        (character.is_ascii_alphanumeric() || " !#$&+-.^_`|~()[]{}@,;='".contains(character))
            && !character.is_control()
    };
    let plain: String =
        file_name.chars().map(|character| if is_plain(character) { character } else { '_' }).collect();
    let mut encoded = String::new();
    for byte in file_name.bytes() {
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}")
}

/// The caller, and the prompt that the path names.
async fn find(call: &mut Call) -> Result<(Ctx, MediaPrompt), Failure> {
    let id = call.path_id(Entity::MediaPrompt).map(MediaPromptId);
    let (ctx, found) = call.authenticate_for(Dialect::Convirza, id, Subject::MediaPrompt).await?;
    let found = call.directory().media_prompt_found(&ctx, found).await?;
    Ok((ctx, found))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_file_name_is_safe_in_a_header() {
        for (name, wanted) in [
            ("a.wav", "attachment; filename=\"a.wav\"; filename*=UTF-8''a.wav"),
            ("Grüße.wav", "attachment; filename=\"Gr__e.wav\"; filename*=UTF-8''Gr%C3%BC%C3%9Fe.wav"),
            ("a\"b\\c%41.wav", "attachment; filename=\"a_b_c_41.wav\"; filename*=UTF-8''a%22b%5Cc%2541.wav"),
            ("a;b='c'.wav", "attachment; filename=\"a;b='c'.wav\"; filename*=UTF-8''a%3Bb%3D%27c%27.wav"),
        ] {
            assert_eq!(disposition(name), wanted);
        }
    }

    proptest! {
        #[test]
        fn any_file_name_makes_one_header(name: String) {
            let disposition = disposition(&name);
            prop_assert!(http::HeaderValue::from_str(&disposition).is_ok());
            prop_assert_eq!(disposition.matches('"').count(), 2);
        }
    }
}
