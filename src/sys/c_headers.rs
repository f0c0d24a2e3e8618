//! What we say of a C header against the header itself, for the tests of the bindings.
use std::io::Write;
use std::path::Path;
use std::process::Command;

/// Compiles the headers, and fails where a C expression is not the number that we say it is. Where a header is not
/// installed, it says so: there is nothing to compare with.
#[track_caller]
pub fn check(headers: &[&str], claims: &[(impl AsRef<str>, u64)]) {
    if headers.iter().any(|it| !Path::new("/usr/include").join(it).exists()) {
        // libc6-dev brings them.
        writeln!(std::io::stderr(), "skipped: {headers:?} are not installed here").expect("somebody listens");
        return;
    }
    let mut program = String::from("#include <stddef.h>\n#include <stdio.h>\n#include <sys/ioctl.h>\n");
    headers.iter().for_each(|it| program += &format!("#include <{it}>\n"));
    program += "int main(void) {\n";
    for (what, _) in claims {
        program += &format!("    printf(\"%llu\\n\", (unsigned long long)({}));\n", what.as_ref());
    }
    program += "    return 0;\n}\n";
    let folder = tempfile::tempdir().expect("a folder");
    let (source, binary) = (folder.path().join("claims.c"), folder.path().join("claims"));
    std::fs::write(&source, program).expect("written");
    let built = Command::new("cc").arg("-o").arg(&binary).arg(&source).output().expect("there is a C compiler");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let said = Command::new(&binary).output().expect("it runs").stdout;
    let said: Vec<u64> = String::from_utf8_lossy(&said).lines().map(|it| it.parse().expect("a number")).collect();
    assert_eq!(said.len(), claims.len());
    for ((what, ours), theirs) in claims.iter().zip(said) {
        assert_eq!(*ours, theirs, "{}", what.as_ref());
    }
}
