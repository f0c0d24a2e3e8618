//! EGL without a screen: what every machine with Mesa must be able to do.
use super::*;
use crate::sys::gl::Api;

#[test]
fn a_thread_has_one_context_and_may_have_another_after_it() {
    for api in [Api::Gles3, Api::Core41] {
        let first = Context::surfaceless(api).unwrap();
        let second = Context::surfaceless(api);
        assert!(matches!(second, Err(EglError::SecondContext)));
        drop(first);
    }
}

#[test]
fn closing_one_display_leaves_the_others_open() {
    let mine = Context::surfaceless(Api::Gles3).unwrap();
    let other = std::thread::spawn(|| Context::surfaceless(Api::Gles3).map(drop));
    other.join().unwrap().unwrap();
    mine.make_current(None).unwrap();
    assert!(mine.display().description().starts_with("EGL 1."));
}

#[test]
fn errors_say_which_call_and_why() {
    let error = EglError::Call { call: "eglInitialize", code: 0x3001 };
    assert_eq!(error.to_string(), "eglInitialize failed: the display is not initialised (0x3001)");
    assert!(EglError::Call { call: "eglSwapBuffers", code: 0x300E }.is_context_lost());
}
