//! The message types of the protocol, and those that people invented beside it.

/// Names the types once, for everything that must know all of them.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal $sender:ident;)*) => {
        /// A message type.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $($(#[$doc])* $kind,)*
        }

        impl Kind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$kind),*];

            /// Reads a name. Case counts.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$kind),)*
                    _ => None,
                }
            }

            /// The name on the wire.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                }
            }

            /// Who may say it at all.
            #[must_use]
            pub const fn speaker(self) -> Speaker {
                match self {
                    $(Self::$kind => Speaker::$sender,)*
                }
            }
        }
    };
}

/// Who may say something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Speaker {
    /// Only a server.
    Server,
    /// Only a user.
    User,
    /// Both.
    Anyone,
}

kinds! {
    /// A server joins through the one that hears this.
    ServerHelloJoin = "SERVER_HELLO_JOIN" Server;
    /// A server that has joined introduces itself to the others.
    ServerHelloLink = "SERVER_HELLO_LINK" Server;
    /// The same in version 1.1.
    PeerHelloLink = "PEER_HELLO_LINK" Server;
    /// The answer to a server that joins.
    ServerWelcome = "SERVER_WELCOME" Server;
    /// A server tells all others where it is.
    ServerAnnounce = "SERVER_ANNOUNCE" Server;
    /// A user is here. One implementation has users say it themselves.
    UserAdvertise = "USER_ADVERTISE" Server;
    /// A user is gone.
    UserRemove = "USER_REMOVE" Server;
    /// A letter for a user of the server that hears this.
    ServerDeliver = "SERVER_DELIVER" Server;
    /// The same in version 1.1.
    PeerDeliver = "PEER_DELIVER" Server;
    /// A sign of life.
    Heartbeat = "HEARTBEAT" Anyone;
    /// Somebody joins the public channel.
    PublicChannelAdd = "PUBLIC_CHANNEL_ADD" Server;
    /// The public channel has a new key.
    PublicChannelUpdated = "PUBLIC_CHANNEL_UPDATED" Server;
    /// The key of the public channel, wrapped for some of its members.
    PublicChannelKeyShare = "PUBLIC_CHANNEL_KEY_SHARE" Server;
    /// The same for one member.
    PublicChannelKeyDelivery = "PUBLIC_CHANNEL_KEY_DELIVERY" Server;
    /// Who is in the public channel.
    PublicMembersSnapshot = "PUBLIC_MEMBERS_SNAPSHOT" Server;
    /// Something arrived.
    Ack = "ACK" Anyone;
    /// Something did not go well.
    Error = "ERROR" Anyone;
    /// Goodbye.
    CtrlClose = "CTRL_CLOSE" Anyone;

    /// A user says who it is.
    UserHello = "USER_HELLO" User;
    /// A letter for one user.
    MsgDirect = "MSG_DIRECT" User;
    /// The same in version 1.1.
    MsgPrivate = "MSG_PRIVATE" User;
    /// A letter for a user that is here.
    UserDeliver = "USER_DELIVER" Server;
    /// A letter for everybody. Servers hand it on as it is.
    MsgPublicChannel = "MSG_PUBLIC_CHANNEL" Anyone;
    /// The same for a user that is here.
    MsgPublicChannelDelivery = "MSG_PUBLIC_CHANNEL_DELIVERY" Server;
    /// A letter was taken.
    MsgDirectAck = "MSG_DIRECT_ACK" Server;
    /// A letter for everybody was taken.
    MsgPublicChannelAck = "MSG_PUBLIC_CHANNEL_ACK" Server;
    /// A file begins. Servers hand it on as it is.
    FileStart = "FILE_START" Anyone;
    /// A part of a file.
    FileChunk = "FILE_CHUNK" Anyone;
    /// A file is complete.
    FileEnd = "FILE_END" Anyone;
    /// A file begins, between two servers.
    ServerFileStart = "SERVER_FILE_START" Server;
    /// A part of a file, between two servers.
    ServerFileChunk = "SERVER_FILE_CHUNK" Server;
    /// A file is complete, between two servers.
    ServerFileEnd = "SERVER_FILE_END" Server;
    /// A file begins, for a user that is here.
    UserStart = "USER_START" Server;
    /// A part of a file, for a user that is here.
    UserChunk = "USER_CHUNK" Server;
    /// A file is complete, for a user that is here.
    UserEnd = "USER_END" Server;

    /// Who is here?
    CmdList = "CMD_LIST" User;
    /// Who is here? And the answer to [`Kind::ClientCommand`].
    List = "LIST" Anyone;
    /// Who is here?
    ListRequest = "LIST_REQUEST" User;
    /// Who is here?
    UserListReq = "USER_LIST_REQ" User;
    /// Something that was typed: `/list`, `/getpub`.
    ClientCmd = "CLIENT_CMD" User;
    /// The same of another implementation.
    ClientCommand = "CLIENT_COMMAND" User;
    /// The answer to most who ask who is here.
    UserList = "USER_LIST" Server;
    /// The answer to [`Kind::ListRequest`].
    ListResponse = "LIST_RESPONSE" Server;
    /// What is somebody's key?
    UserDbGet = "USER_DB_GET" User;
    /// The answer to [`Kind::UserDbGet`].
    UserDbUser = "USER_DB_USER" Server;
    /// What is somebody's key?
    PubkeyRequest = "PUBKEY_REQUEST" User;
    /// The answer to [`Kind::PubkeyRequest`].
    PubkeyResponse = "PUBKEY_RESPONSE" Server;
    /// What is somebody's key? Servers ask each other, too.
    PubKeyRequest = "PUB_KEY_REQUEST" Anyone;
    /// The answer to [`Kind::PubKeyRequest`].
    PubKey = "PUB_KEY" Server;
    /// The answer to `/getpub`.
    PubkeyReply = "PUBKEY_REPLY" Server;

    /// A user leaves key and password with its server.
    LocalRegister = "LOCAL_REGISTER" User;
    /// A user names its password.
    LoginRequest = "LOGIN_REQUEST" User;
    /// It was the right one.
    LoginSuccess = "LOGIN_SUCCESS" Server;
    /// A user proves who it is.
    UserAuth = "USER_AUTH" User;
    /// A user is asked to prove who it is.
    AuthChallenge = "AUTH_CHALLENGE" Server;
    /// It does.
    AuthProof = "AUTH_PROOF" User;
    /// A user is given its name.
    UserWelcome = "USER_WELCOME" Server;
    /// A user is told the name of its server.
    ClientWelcome = "CLIENT_WELCOME" Server;
    /// A server tells its master about a user.
    DbRegister = "DB_REGISTER" Server;
    /// A server asks its master, or one that it takes for that, about a user.
    DbGetUser = "DB_GET_USER" Server;
    /// The answer to [`Kind::DbGetUser`].
    DbUser = "DB_USER" Server;
}

impl Kind {
    /// Whether only servers may say it.
    #[must_use]
    pub const fn server_only(self) -> bool {
        matches!(self.speaker(), Speaker::Server)
    }

    /// Whether it is part of a file.
    #[must_use]
    pub const fn is_file(self) -> bool {
        matches!(self, Self::FileStart | Self::FileChunk | Self::FileEnd) || self.inside_server().is_some()
    }

    /// Whether it is a private letter that a server has wrapped for another one.
    #[must_use]
    pub const fn is_wrapped(self) -> bool {
        matches!(self, Self::ServerDeliver | Self::PeerDeliver)
    }

    /// Whether it is a private letter, which is wrapped anew wherever it is delivered.
    #[must_use]
    pub const fn is_direct(self) -> bool {
        matches!(self, Self::MsgDirect | Self::MsgPrivate) || self.is_wrapped()
    }

    /// Whether it is about the key or the members of the public channel.
    #[must_use]
    pub const fn is_of_channel(self) -> bool {
        matches!(self, Self::PublicChannelAdd | Self::PublicChannelUpdated | Self::PublicChannelKeyShare)
    }

    /// What a user hears for a part of a file that one implementation calls otherwise between servers.
    #[must_use]
    pub const fn inside_server(self) -> Option<Self> {
        match self {
            Self::ServerFileStart => Some(Self::FileStart),
            Self::ServerFileChunk => Some(Self::FileChunk),
            Self::ServerFileEnd => Some(Self::FileEnd),
            _ => None,
        }
    }

    /// Whether a connection that begins with it is a server's.
    #[must_use]
    pub const fn opens_link(self) -> bool {
        matches!(
            self,
            Self::ServerHelloJoin | Self::ServerHelloLink | Self::PeerHelloLink | Self::ServerAnnounce
        )
    }

    /// Whether it asks who is here, whatever it says inside; [`Kind::ClientCmd`] says it inside.
    #[must_use]
    pub const fn asks_list(self) -> bool {
        self.list_answer().is_some() && !matches!(self, Self::ClientCmd | Self::ClientCommand)
    }

    /// The type of the answer that this request for the list expects.
    #[must_use]
    pub const fn list_answer(self) -> Option<Self> {
        match self {
            Self::ListRequest => Some(Self::ListResponse),
            Self::ClientCommand => Some(Self::List),
            Self::CmdList | Self::List | Self::UserListReq | Self::ClientCmd => Some(Self::UserList),
            _ => None,
        }
    }

    /// The type of the answer that this request for a key expects.
    #[must_use]
    pub const fn key_answer(self) -> Option<Self> {
        match self {
            Self::UserDbGet => Some(Self::UserDbUser),
            Self::PubkeyRequest => Some(Self::PubkeyResponse),
            Self::PubKeyRequest => Some(Self::PubKey),
            Self::ClientCmd | Self::ClientCommand => Some(Self::PubkeyReply),
            Self::DbGetUser => Some(Self::DbUser),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_known_by_its_name_and_no_other() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_name(kind.name()), Some(*kind));
            assert!(kind.name().bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_'), "{kind:?}");
        }
        for wrong in ["", "user_hello", "USER_HELLO ", "HELLO", "signed_data"] {
            assert_eq!(Kind::from_name(wrong), None, "{wrong}");
        }
        assert!(Kind::ServerDeliver.server_only() && !Kind::Heartbeat.server_only());
        assert!(Kind::List.asks_list() && !Kind::ClientCmd.asks_list());
    }
}
