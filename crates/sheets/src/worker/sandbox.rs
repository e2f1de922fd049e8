//! What the child gives up before it looks at the file. Limits come first and hold everywhere; landlock and seccomp
//! are taken where the kernel has them, and the first frame says which were.

use serde::{Deserialize, Serialize};

use super::WorkerLimits;

/// Which walls stand around the reader.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sandbox {
    /// Memory, processor time, open files and file sizes are limited.
    pub has_limits: bool,
    /// No path can be opened (landlock).
    pub has_no_files: bool,
    /// No sockets, no new processes, no opening of files (seccomp).
    pub has_no_network: bool,
}

pub fn enter(limits: &WorkerLimits) -> Sandbox {
    Sandbox {
        has_limits: set_limits(limits),
        has_no_files: forbid_files(),
        has_no_network: forbid_system_calls(),
    }
}

#[cfg(unix)]
fn set_limits(limits: &WorkerLimits) -> bool {
    use rlimit::{Resource, setrlimit};
    let (space, data) = memory_in_use();
    let mut wanted = vec![
        (Resource::AS, space.saturating_add(limits.memory_bytes)),
        (Resource::CPU, limits.cpu_seconds),
        (Resource::NOFILE, 16),
        (Resource::FSIZE, 0),
        (Resource::CORE, 0),
    ];
    if cfg!(target_os = "linux") {
        wanted.push((Resource::DATA, data.saturating_add(limits.memory_bytes)));
    }
    wanted.into_iter().fold(true, |is_set, (resource, value)| {
        // Never raise a limit that is lower already.
        let (_, hard) = resource.get().unwrap_or((value, value));
        let value = value.min(hard);
        setrlimit(resource, value, value).is_ok() && is_set
    })
}

#[cfg(not(unix))]
fn set_limits(_limits: &WorkerLimits) -> bool {
    false
}

/// Bytes of address space and of data the program holds before it reads anything.
#[cfg(unix)]
fn memory_in_use() -> (u64, u64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let bytes_of = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kib =
            line.and_then(|line| line.split_whitespace().next()).and_then(|kib| kib.parse::<u64>().ok());
        kib.unwrap_or(0) * 1024
    };
    (bytes_of("VmSize:"), bytes_of("VmData:"))
}

#[cfg(target_os = "linux")]
fn forbid_files() -> bool {
    use landlock::{ABI, Access, AccessFs, Ruleset, RulesetAttr, RulesetStatus};
    let restricted = Ruleset::default()
        .handle_access(AccessFs::from_all(ABI::V5))
        .and_then(Ruleset::create)
        .and_then(landlock::RulesetCreated::restrict_self);
    restricted.is_ok_and(|status| status.ruleset != RulesetStatus::NotEnforced)
}

#[cfg(not(target_os = "linux"))]
fn forbid_files() -> bool {
    false
}

/// Refuses, with EPERM, the calls by which a taken-over reader could reach anything outside. A list of what is
/// forbidden rather than of what is allowed: what the allocator and the C library need differs between systems, and a
/// reader that dies on some kernels would teach people to switch the sandbox off.
#[cfg(target_os = "linux")]
fn forbid_system_calls() -> bool {
    use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter};
    let mut calls = vec![
        libc::SYS_socket,
        libc::SYS_socketpair,
        libc::SYS_connect,
        libc::SYS_bind,
        libc::SYS_listen,
        libc::SYS_accept,
        libc::SYS_accept4,
        libc::SYS_sendto,
        libc::SYS_sendmsg,
        libc::SYS_sendmmsg,
        libc::SYS_execve,
        libc::SYS_execveat,
        libc::SYS_clone,
        libc::SYS_clone3,
        libc::SYS_openat,
        libc::SYS_openat2,
        libc::SYS_unlinkat,
        libc::SYS_renameat2,
        libc::SYS_linkat,
        libc::SYS_symlinkat,
        libc::SYS_mkdirat,
        libc::SYS_mknodat,
        libc::SYS_fchmodat,
        libc::SYS_fchownat,
        libc::SYS_ptrace,
        libc::SYS_process_vm_readv,
        libc::SYS_process_vm_writev,
        libc::SYS_kill,
        libc::SYS_tkill,
        libc::SYS_pidfd_open,
        libc::SYS_pidfd_getfd,
        libc::SYS_mount,
        libc::SYS_unshare,
        libc::SYS_setns,
        libc::SYS_bpf,
        libc::SYS_keyctl,
        libc::SYS_add_key,
        libc::SYS_perf_event_open,
        libc::SYS_io_uring_setup,
        libc::SYS_userfaultfd,
        libc::SYS_memfd_create,
    ];
    #[cfg(target_arch = "x86_64")]
    calls.extend([
        libc::SYS_open,
        libc::SYS_creat,
        libc::SYS_fork,
        libc::SYS_vfork,
        libc::SYS_unlink,
        libc::SYS_rename,
        libc::SYS_link,
        libc::SYS_symlink,
        libc::SYS_mkdir,
    ]);
    calls.sort_unstable();
    let Ok(architecture) = std::env::consts::ARCH.try_into() else { return false };
    let filter = SeccompFilter::new(
        calls.into_iter().map(|call| (call, Vec::new())).collect(),
        SeccompAction::Allow,
        SeccompAction::Errno(libc::EPERM.unsigned_abs()),
        architecture,
    );
    let Some(program) = filter.ok().and_then(|filter| BpfProgram::try_from(filter).ok()) else {
        return false;
    };
    apply_filter(&program).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn forbid_system_calls() -> bool {
    false
}
