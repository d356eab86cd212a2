export { checkPermission, type DecideOptions, decide, requirePermission } from './check.js'
export { configureSecurity, type Security } from './configure.js'
export {
  Description,
  type DescriptionOptions,
  LocalDescription,
  type PlaceOption,
} from './description.js'
export {
  DuplicatePrincipalError,
  InvalidGrantError,
  InvalidIdError,
  InvalidParticipationError,
  NoInteractionError,
  securityErrors,
  UnauthorizedError,
  UnknownPermissionError,
  UnknownPrincipalError,
  UnknownRoleError,
} from './errors.js'
export { type FindPrincipalOptions, getPrincipal, queryPrincipal } from './find-principal.js'
export { GlobalGrants } from './global-grants.js'
export { grantsOf } from './grants.js'
export {
  currentInteraction,
  getInteraction,
  Interaction,
  type Participants,
  runInInteraction,
} from './interaction.js'
export {
  type Decision,
  type Grant,
  type GrantRow,
  type Grants,
  IAuthentication,
  IGlobalGrants,
  IGroup,
  IPermission,
  IPrincipal,
  IRole,
  ISecurityPolicy,
  IUnauthenticatedPrincipal,
  type Participation,
  type Setting,
} from './interfaces.js'
export {
  getPermission,
  LocalPermission,
  PERMISSION_CREATE,
  PERMISSION_DELETE,
  PERMISSION_MANAGE_CONTENT,
  PERMISSION_MANAGE_SERVICES,
  PERMISSION_MANAGE_SITE,
  PERMISSION_PUBLIC,
  PERMISSION_SECURITY,
  PERMISSION_VIEW,
  Permission,
  queryPermission,
} from './permission.js'
export { lineagePolicy } from './policy.js'
export {
  Group,
  GroupInfo,
  Principal,
  PrincipalInfo,
  type PrincipalOptions,
  systemPrincipal,
  UnauthenticatedPrincipalInfo,
} from './principal.js'
export { PrincipalFolder } from './principal-folder.js'
export { PrincipalRegistry } from './principal-registry.js'
export { type RemoveGrantsOptions, type RemoveGrantsReport, removeGrants } from './remove-grants.js'
export {
  getRole,
  LocalRole,
  queryRole,
  ROLE_ANONYMOUS,
  ROLE_MANAGER,
  ROLE_MEMBER,
  Role,
} from './role.js'
export { type PlaceSettings, settingsFor } from './settings.js'
