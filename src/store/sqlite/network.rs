//! Whether a file is on a network file system, where SQLite's locks work for one host only.

use std::path::Path;

/// `f_type` of the file systems that clusters share: the magic numbers of `statfs(2)`, and of the
/// vendors where Linux lists none.
const NETWORK: &[(u64, &str)] = &[
    (0x6969, "NFS"),
    (0x0BD0_0BD0, "Lustre"),
    (0x4750_4653, "GPFS"),
    (0x1983_0326, "BeeGFS"),
    (0x00C3_6400, "CephFS"),
    (0xFF53_4D42, "CIFS"),
    (0xFE53_4D42, "SMB2"),
    (0x517B, "SMB"),
    (0x5346_414F, "AFS"),
    (0xAAD7_AAEA, "PanFS"),
    (0x2003_0528, "OrangeFS"),
    (0x6573_5546, "FUSE"),
];

/// Looks at the file itself, or at its folder while it does not exist.
pub fn is_network(path: &Path) -> bool {
    let found = rustix::fs::statfs(path).or_else(|_| rustix::fs::statfs(path.parent().unwrap_or(path)));
    found.is_ok_and(|stat| is_network_type(stat.f_type as u64))
}

fn is_network_type(magic: u64) -> bool {
    // The field is signed and of 32 bits on some machines.
    NETWORK.iter().any(|&(known, _)| known == magic & 0xFFFF_FFFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_cluster_file_systems_and_local_ones() {
        assert!(is_network_type(0x6969));
        assert!(is_network_type(0xFFFF_FFFF_FF53_4D42), "sign-extended CIFS");
        for local in [0xEF53_u64, 0x5846_5342, 0x9123_683E, 0x0102_1994] {
            assert!(!is_network_type(local), "ext4, XFS, btrfs, tmpfs");
        }
        assert!(!is_network(&std::env::temp_dir()) || cfg!(not(target_os = "linux")));
    }
}
