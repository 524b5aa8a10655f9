//! What a call gave, as text.

use rmcp::model::{CallToolResult, ContentBlock, ResourceContents};

/// The result's text. Pictures and sounds are told of, not shown.
pub(super) fn text(result: &CallToolResult) -> String {
    let mut text = String::new();
    for block in &result.content {
        let part = match block {
            ContentBlock::Text(part) => part.text.clone(),
            ContentBlock::Image(image) => format!("[a picture, {}]", image.mime_type),
            ContentBlock::Audio(audio) => format!("[a sound, {}]", audio.mime_type),
            ContentBlock::Resource(resource) => match &resource.resource {
                ResourceContents::TextResourceContents { uri, text, .. } => format!("{uri}:\n{text}"),
                ResourceContents::BlobResourceContents { uri, blob, .. } => {
                    format!("[{uri}: {} bytes in base64]", blob.len())
                }
                _ => "[a resource that can't be shown]".to_owned(),
            },
            ContentBlock::ResourceLink(link) => format!("[a resource, {}]", link.uri),
            _ => "[content that can't be shown]".to_owned(),
        };
        text += &part;
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
    }
    match &result.structured_content {
        Some(value) if text.trim().is_empty() => serde_json::to_string_pretty(value).unwrap_or_default() + "\n",
        _ => text,
    }
}
