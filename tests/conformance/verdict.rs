//! The judge of the suite's report. It does not take an empty report, or one of half the cases, for a good
//! one.

use std::collections::BTreeMap;

use serde_json::Value;

/// What a case may come out as, in how the server behaves and in how it closes.
const GOOD: [&str; 3] = ["OK", "NON-STRICT", "INFORMATIONAL"];

/// Counts what the cases came out as.
///
/// # Errors
/// Fewer cases ran than expected, or some went wrong; each with its number.
pub(crate) fn judge(index: &Value, agent: &str, expected: usize) -> Result<String, String> {
    let cases = index[agent].as_object().ok_or_else(|| format!("nothing was heard of {agent}"))?;
    let mut complaints = Vec::new();
    if cases.len() < expected {
        complaints.push(format!("{} of {expected} cases ran", cases.len()));
    }
    let mut counts = BTreeMap::<&str, usize>::new();
    for (case, result) in cases {
        let behaviour = result["behavior"].as_str().unwrap_or("nothing");
        let close = result["behaviorClose"].as_str().unwrap_or("nothing");
        *counts.entry(behaviour).or_default() += 1;
        if !GOOD.contains(&behaviour) || !GOOD.contains(&close) {
            let code = &result["remoteCloseCode"];
            complaints.push(format!("case {case}: {behaviour}, closed {close} (code {code})"));
        }
    }
    if complaints.is_empty() {
        let counts: Vec<String> =
            counts.iter().map(|(outcome, count)| format!("{count} {outcome}")).collect();
        Ok(format!("{} cases: {}", cases.len(), counts.join(", ")))
    } else {
        Err(complaints.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::judge;

    #[test]
    fn only_a_whole_report_without_a_fault_is_good() {
        let report = |behaviour: &str, close: &str| {
            json!({"kith": {
                "1.1.1": {"behavior": "OK", "behaviorClose": "OK", "remoteCloseCode": 1000},
                "6.4.3": {"behavior": behaviour, "behaviorClose": close, "remoteCloseCode": null},
            }})
        };
        let good = judge(&report("NON-STRICT", "INFORMATIONAL"), "kith", 2);
        assert_eq!(good.as_deref(), Ok("2 cases: 1 NON-STRICT, 1 OK"));
        let complaint = |behaviour, close| judge(&report(behaviour, close), "kith", 2).unwrap_err();
        assert_eq!(complaint("FAILED", "OK"), "case 6.4.3: FAILED, closed OK (code null)");
        assert_eq!(complaint("OK", "WRONG CODE"), "case 6.4.3: OK, closed WRONG CODE (code null)");
        for close in ["FAILED BY CLIENT", "UNCLEAN", ""] {
            complaint("OK", close);
        }
        complaint("UNIMPLEMENTED", "OK");
        assert_eq!(judge(&report("OK", "OK"), "kith", 3).unwrap_err(), "2 of 3 cases ran");
        for empty in [json!({}), json!({"kith": {}}), json!(null), json!({"other": {}})] {
            assert!(judge(&empty, "kith", 2).is_err(), "{empty}");
        }
        assert!(judge(&json!({"kith": {"1.1.1": {}}}), "kith", 1).is_err());
    }
}
