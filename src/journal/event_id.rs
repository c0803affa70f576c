//! Which id does an event get?

use uuid::Uuid;

use crate::domain::time::Timestamp;

/// A UUID v7: sorted by the given time, and unique without coordination.
#[must_use]
pub fn event_id(at: Timestamp) -> Uuid {
    let millis = u64::try_from(at.micros() / 1_000).unwrap_or(0);
    let random = Uuid::new_v4().into_bytes();
    let random = random.first_chunk::<10>().copied().unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_of_their_time_and_no_two_are_one() {
        let at = |text: &str| Timestamp::parse(text).expect("a time");
        let (earlier, later) = (at("2026-11-19T12:00:00Z"), at("2026-11-19T12:00:00.001Z"));
        assert!(event_id(earlier) < event_id(later), "they are sorted by time");
        assert_ne!(event_id(earlier), event_id(earlier));
        assert_eq!(event_id(earlier).get_version_num(), 7);
    }
}
