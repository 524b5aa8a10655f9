//! Gives samples to a Prometheus: remote write, version 1
//! (<https://prometheus.io/docs/specs/prw/remote_write_spec/>).

use std::collections::BTreeMap;

use super::RealError;
use crate::bundle::{Sample, Series};

/// The length of time of one request, in milliseconds: Prometheus takes what is older than the newest by less than half a
/// block, of two hours.
const SLICE: i64 = 10 * 60 * 1000;

/// Series of one request.
const SERIES: usize = 2_000;

/// Writes all samples, oldest first.
pub(super) async fn all(client: &reqwest::Client, url: &str, series: &[Series]) -> Result<(), RealError> {
    let mut slices: BTreeMap<i64, Vec<(&Series, &[Sample])>> = BTreeMap::new();
    for one in series {
        for part in one.samples.chunk_by(|a, b| a.at.div_euclid(SLICE) == b.at.div_euclid(SLICE)) {
            if let Some(first) = part.first() {
                slices.entry(first.at.div_euclid(SLICE)).or_default().push((one, part));
            }
        }
    }
    for parts in slices.values().flat_map(|parts| parts.chunks(SERIES)) {
        let body = snap::raw::Encoder::new()
            .compress_vec(&request(parts))
            .map_err(|error| RealError::Answer(format!("compress samples: {error}")))?;
        let answer = client
            .post(format!("{url}/api/v1/write"))
            .header("content-encoding", "snappy")
            .header("content-type", "application/x-protobuf")
            .header("x-prometheus-remote-write-version", "0.1.0")
            .body(body)
            .send()
            .await
            .map_err(RealError::Ask)?;
        if !answer.status().is_success() {
            let status = answer.status();
            let said = answer.text().await.unwrap_or_default();
            return Err(RealError::Answer(format!("it refuses samples: {status}: {}", said.trim())));
        }
    }
    Ok(())
}

/// A `WriteRequest` in protobuf: field 1 of it is a series, of that 1 a label and 2 a sample, of those 1 and 2 name or
/// value, value and time.
fn request(parts: &[(&Series, &[Sample])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (series, samples) in parts {
        let mut message = Vec::new();
        // Sorted by name, as Prometheus wants them.
        for (name, value) in series.labels.iter() {
            let mut label = Vec::new();
            bytes(&mut label, 1, name.as_bytes());
            bytes(&mut label, 2, value.as_bytes());
            bytes(&mut message, 1, &label);
        }
        for Sample { at, value } in *samples {
            let mut sample = vec![1 << 3 | 1];
            sample.extend_from_slice(&value.to_bits().to_le_bytes());
            sample.push(2 << 3);
            varint(&mut sample, at.cast_unsigned());
            bytes(&mut message, 2, &sample);
        }
        bytes(&mut out, 1, &message);
    }
    out
}

/// A field of bytes.
fn bytes(out: &mut Vec<u8>, field: u8, value: &[u8]) {
    out.push(field << 3 | 2);
    varint(out, value.len() as u64);
    out.extend_from_slice(value);
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            return out.push(low);
        }
        out.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use marple_core::Labels;

    use super::*;

    #[test]
    fn a_request_is_written_as_the_specification_says() {
        let labels: Labels = [("__name__", "up")].into_iter().collect();
        let series = Series { labels: labels.into(), samples: vec![Sample { at: 300, value: 1.0 }].into() };
        let label = b"\x0a\x08__name__\x12\x02up";
        let sample = b"\x09\x00\x00\x00\x00\x00\x00\xf0\x3f\x10\xac\x02";
        let mut message = vec![0x0a, u8::try_from(label.len()).unwrap()];
        message.extend_from_slice(label);
        message.extend_from_slice(&[0x12, u8::try_from(sample.len()).unwrap()]);
        message.extend_from_slice(sample);
        let mut wanted = vec![0x0a, u8::try_from(message.len()).unwrap()];
        wanted.extend_from_slice(&message);
        assert_eq!(request(&[(&series, &series.samples)]), wanted);
    }
}
