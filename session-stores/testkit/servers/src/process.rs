//! Processes that end with ours: started by a thread that never ends, signalled by pid.
//!
//! `PR_SET_PDEATHSIG` fires when the *thread* that forked ends, not the process. A test's thread ends long before a
//! shared server may, so a single thread, the keeper, starts all processes and runs as long as this process.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Sender};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use std::os::unix::process::CommandExt;

/// A command that the kernel kills with this process, in a process group of its own, as `user` if given.
pub(crate) fn bound(program: &Path, user: Option<&User>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]);
    if let Some(User { uid, gid, .. }) = user {
        command.arg(format!("--reuid={uid}")).arg(format!("--regid={gid}")).arg("--clear-groups");
    }
    command.arg("--").arg(program).stdin(Stdio::null());
    // Its own group: Ctrl-C in a terminal reaches only this process, which stops the servers in order.
    command.process_group(0);
    command
}

/// Starts the command from the keeper's thread.
pub(crate) fn spawn(command: Command) -> io::Result<Child> {
    static KEEPER: OnceLock<Mutex<Sender<Job>>> = OnceLock::new();
    let keeper = KEEPER.get_or_init(|| {
        let (sender, jobs) = mpsc::channel::<Job>();
        thread::spawn(move || {
            for (mut command, answer) in jobs {
                // The caller is gone: the child is dropped unreaped, and ends with this process.
                drop(answer.send(command.spawn()));
            }
        });
        Mutex::new(sender)
    });
    let (answer, child) = mpsc::channel();
    let sent = keeper.lock().unwrap_or_else(PoisonError::into_inner).send((command, answer));
    let gone = |_| io::Error::other("the thread that starts servers has ended");
    sent.map_err(|_| io::Error::other("the thread that starts servers has ended"))?;
    child.recv().map_err(gone)?
}

type Job = (Command, Sender<io::Result<Child>>);

/// Sends a signal to processes, and ignores those that have ended. Uses the shell's `kill`: this crate forbids unsafe
/// code, and one system call does not justify a dependency.
pub(crate) fn signal(name: &str, pids: &[u32]) {
    if pids.is_empty() {
        return;
    }
    let pids: Vec<String> = pids.iter().map(u32::to_string).collect();
    let sent = Command::new("sh")
        .args([
            "-c",
            "signal=$1; shift; for pid; do kill -s \"$signal\" \"$pid\"; done 2>/dev/null; :",
            "sh",
            name,
        ])
        .args(pids)
        .status();
    // `sh` has started the watch of the servers before, so it is there; and stopping must not panic.
    drop(sent);
}

/// Returns the process and its descendants, parents first.
pub(crate) fn family(pid: u32) -> Vec<u32> {
    let parents: Vec<(u32, u32)> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|pid| Some((pid, parent(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)?)))
        .collect();
    let mut family = vec![pid];
    let mut seen = 0;
    while let Some(&elder) = family.get(seen) {
        family.extend(parents.iter().filter(|&&(_, parent)| parent == elder).map(|&(child, _)| child));
        seen += 1;
    }
    family
}

/// The fourth word of `/proc/PID/stat`; the second one, the program's name, may hold anything but ends with `)`.
fn parent(stat: &str) -> Option<u32> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

/// Returns whether every thread of the process is stopped by a signal, or the process has ended.
pub(crate) fn stands_still(pid: u32) -> bool {
    all_threads(pid, &['T', 't', 'Z', 'X'])
}

/// Returns whether each thread is in one of these states.
fn all_threads(pid: u32, states: &[char]) -> bool {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return true };
    threads.flatten().all(|thread| match fs::read_to_string(thread.path().join("stat")) {
        Ok(stat) => state(&stat).is_some_and(|state| states.contains(&state)),
        Err(_) => true,
    })
}

/// Returns whether every thread of the process has ended, reaped or not: then it has released its ports.
pub(crate) fn has_ended(pid: u32) -> bool {
    all_threads(pid, &['Z', 'X'])
}

/// Returns the third word of `stat`, a letter.
fn state(stat: &str) -> Option<char> {
    stat.rsplit_once(')')?.1.trim_start().chars().next()
}

/// Waits for the child to end for at most this time, and returns whether it did.
pub(crate) fn wait(child: &mut Child, most: Duration) -> bool {
    let start = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(_)) => return true,
            Ok(None) if start.elapsed() < most => thread::sleep(Duration::from_millis(5)),
            Ok(None) | Err(_) => return false,
        }
    }
}

/// Removes a directory when this process has ended, in whatever way.
///
/// A shell reads from a pipe whose other end only this process has open, and acts at the end of file.
#[derive(Debug)]
pub(crate) struct Watch {
    shell: Child,
    _pipe: Option<ChildStdin>,
}

impl Watch {
    pub(crate) fn over(directory: &Path) -> io::Result<Self> {
        let mut command = Command::new("sh");
        // Three times: a server that is being killed may still write.
        command
            .args(["-c", "read -r _; for _ in 1 2 3; do sleep 0.3; rm -rf -- \"$1\"; done", "sh"])
            .arg(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0);
        let mut shell = command.spawn()?;
        let pipe = shell.stdin.take();
        Ok(Self { shell, _pipe: pipe })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // Killed before the pipe closes: the directory is removed by its owner, and the name may be used again.
        drop(self.shell.kill());
        drop(self.shell.wait());
    }
}

/// A user of this machine, by number.
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl User {
    /// Returns the first of these users that exists.
    pub(crate) fn first_of(names: &[&str]) -> Option<Self> {
        let passwd = fs::read_to_string("/etc/passwd").ok()?;
        names.iter().find_map(|name| Self::in_passwd(&passwd, name))
    }

    fn in_passwd(passwd: &str, name: &str) -> Option<Self> {
        passwd.lines().find_map(|line| {
            let mut fields = line.split(':');
            if fields.next()? != name {
                return None;
            }
            let uid = fields.nth(1)?.parse().ok()?;
            Some(Self { uid, gid: fields.next()?.parse().ok()? })
        })
    }
}

/// Finds a program in these directories, then in the path.
pub(crate) fn find(program: &str, directories: &[PathBuf]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    directories
        .iter()
        .cloned()
        .chain(std::env::split_paths(&path))
        .chain(["/usr/sbin", "/usr/local/sbin", "/sbin"].map(PathBuf::from))
        .map(|directory| directory.join(program))
        .find(|candidate| candidate.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parent_is_read_behind_a_name_with_spaces_and_brackets() {
        assert_eq!(parent("12 (a) b (c) S 7 12 12 0"), Some(7));
        assert_eq!(parent("nothing"), None);
    }

    #[test]
    fn a_process_stands_still_after_a_stop_and_not_before_or_behind_it() {
        let mut command = Command::new("sh");
        command.args(["-c", "while :; do :; done"]);
        let mut child = spawn(command).unwrap();
        let still_is = |expected: bool| {
            let start = Instant::now();
            while stands_still(child.id()) != expected {
                assert!(start.elapsed() < Duration::from_secs(60), "it is not {expected}");
                thread::sleep(Duration::from_millis(1));
            }
        };
        still_is(false);
        signal("STOP", &[child.id()]);
        still_is(true);
        signal("CONT", &[child.id()]);
        still_is(false);
        signal("KILL", &[child.id()]);
        assert!(wait(&mut child, Duration::from_secs(60)));
        assert!(stands_still(child.id()), "what is gone does not answer");
    }

    #[test]
    fn a_user_is_found_by_name_and_not_by_a_prefix_of_it() {
        let passwd = "mysqlx:x:1:2::/:/bin/sh\nmysql:x:103:106::/:/bin/false\n";
        let user = User::in_passwd(passwd, "mysql").unwrap();
        assert_eq!((user.uid, user.gid), (103, 106));
        assert!(User::in_passwd(passwd, "nobody").is_none());
    }

    #[test]
    fn a_family_has_the_grandchildren() {
        let mut command = Command::new("sh");
        command.args(["-c", "sh -c 'sleep 60; :'; :"]);
        let mut child = spawn(command).unwrap();
        let start = Instant::now();
        let family = loop {
            let family = family(child.id());
            if family.len() == 3 {
                break family;
            }
            assert!(start.elapsed() < Duration::from_secs(60), "{family:?}");
            thread::sleep(Duration::from_millis(1));
        };
        signal("KILL", &family);
        assert!(wait(&mut child, Duration::from_secs(60)));
    }

    #[test]
    fn a_program_is_found_in_the_given_directories_first() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("sh"), "").unwrap();
        assert_eq!(find("sh", &[directory.path().into()]).unwrap(), directory.path().join("sh"));
        assert!(find("no-such-program-here", &[]).is_none());
    }
}
