"""Attributes that TMF679 Product Offering Qualification alone has (see engine.attributes)."""

TABLE = """
AlternateProductOfferingProposal: id alternateActivationDate:time
  alternateProduct:ProductRefOrValue alternateProductOffering:ProductOfferingRef
EligibilityUnavailabilityReason: code label
Note: id! author date:time text!
ProductActionType = add | modify | delete | noChange
ProductOfferingQualification: id href description effectiveQualificationDate:time
  expectedPOQCompletionDate:time expirationDate:time instantSyncQualification:flag
  productOfferingQualificationDate:time provideAlternative:flag provideOnlyAvailable:flag
  provideUnavailabilityReason:flag qualificationResult requestedPOQCompletionDate:time
  category:CategoryRef channel:ChannelRef note:Note* place:RelatedPlaceRefOrValue*
  productOfferingQualificationItem:ProductOfferingQualificationItem* relatedParty:RelatedParty*
  state:TaskStateType
ProductOfferingQualificationItem: id! expectedActivationDate:time qualificationItemResult
  action:ProductActionType alternateProductOfferingProposal:AlternateProductOfferingProposal*
  eligibilityUnavailabilityReason:EligibilityUnavailabilityReason* note:Note*
  product:ProductRefOrValue productOffering:ProductOfferingRef
  qualificationItemRelationship:QualificationItemRelationship* state:TaskStateType
  terminationError:TerminationError*
ProductRefOrValue: id href description isBundle:flag isCustomerVisible:flag name orderDate:time
  productSerialNumber startDate:time terminationDate:time agreement:AgreementItemRef*
  billingAccount:BillingAccountRef place:RelatedPlaceRefOrValue* product:ProductRefOrValue*
  productCharacteristic:Characteristic* productOffering:ProductOfferingRef
  productOrderItem:RelatedProductOrderItem* productPrice:ProductPrice*
  productRelationship:ProductRelationship* productSpecification:ProductSpecificationRef
  productTerm:ProductTerm* realizingResource:ResourceRef* realizingService:ServiceRef*
  relatedParty:RelatedParty* status:ProductStatusType @referredType
ProductRelationship: relationshipType! product:ProductRefOrValue!
QualificationItemRelationship: id relationshipType
RelatedParty: id! href name role @referredType!
TaskStateType = acknowledged | terminatedWithError | inProgress | done
"""
